"""Published weights into Flax variables, and back into PyTorch's names.

What an array is called and how its axes lie is a table for each architecture
(`models.namings`). Whatever is missing, unknown or misshaped is reported at once.
"""

from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from qpm_jax.models import hub
from qpm_jax.models.catalogue import specification
from qpm_jax.models.conversion import Variables, mismatches, to_arrays, to_variables
from qpm_jax.models.layouts import Source
from qpm_jax.models.namings import IN_FILES, TORCH, Naming, sources_for
from qpm_jax.models.recognise import hint
from qpm_jax.models.weight_files import check_file, read_arrays

# Ids whose arrays would fit a model and mean another: why, and which to take.
_OTHER_NETWORKS = {
    ("efficientnet_lite0", "timm/efficientnet_lite0.ra_in1k"): (
        "it pads symmetrically and normalises with epsilon 1e-5; take"
        " timm/tf_efficientnet_lite0.in1k"
    ),
}


def from_torch_state_dict(name: str, state: Mapping[str, ArrayLike]) -> Variables:
    """Turns a PyTorch state dict into Flax variables.

    Args:
      name: a model whose published weights have PyTorch's names and axes.
      state: key -> array, as `state_dict()` gives (convert tensors to NumPy arrays),
        in any of the names docs/backbones.md lists for the model.

    Returns:
      {"params": {"backbone", "head"}, "batch_stats": {"backbone"}}, float32; the number
      of classes is the state dict's own. Without "batch_stats" where the model has
      none, without "head" where the state dict has nothing of one.

    Raises:
      ValueError: for a model without such weights, or listing every key that is
        missing, unknown or of another shape, and the models that are nearest.
    """
    return _convert(name, sources_for(_torch_namings(name), state), state)


def backbone_from_torch_state_dict(
    name: str, state: Mapping[str, ArrayLike]
) -> Variables:
    """Turns the arrays of a backbone alone into Flax variables.

    Args:
      name: as for `from_torch_state_dict`.
      state: key -> array, without any head.

    Returns:
      {"params": {"backbone"}, "batch_stats": {"backbone"}}, as `QPMNetwork` takes them.

    Raises:
      ValueError: as `from_torch_state_dict`.
    """
    return _convert(name, _backbone_sources(name, state), state)


def backbone_mismatches(name: str, state: Mapping[str, ArrayLike]) -> list[str]:
    """Returns what keeps arrays from being those of a backbone alone, a line each.

    Args:
      name: as for `from_torch_state_dict`.
      state: key -> array, without any head.

    Raises:
      ValueError: for a model without PyTorch names.
    """
    return mismatches(name, _backbone_sources(name, state), state)


def to_torch_state_dict(name: str, variables: Variables) -> dict[str, np.ndarray]:
    """Turns Flax variables into a PyTorch state dict; undoes `from_torch_state_dict`.

    Args:
      name: a model with PyTorch names.
      variables: {"params": {"backbone", "head"}, "batch_stats": …}; "head" may be
        absent.

    Returns:
      key -> float32 array, in the names the first table of `models.namings` has
      (torchvision's where it has the model).

    Raises:
      ValueError: for a model without PyTorch names, or variables of another model.
    """
    sources = list(_torch_namings(name)[0].sources())
    if "head" not in variables["params"]:
        sources = [source for source in sources if source.path[1] != "head"]
    try:
        arrays = to_arrays(sources, variables)
    except KeyError as error:
        raise ValueError(f"variables: no {error}, so not those of {name!r}") from error
    problems = mismatches(name, sources, arrays)
    if problems:
        raise ValueError(
            f"variables: not those of {name!r}:\n  " + "\n  ".join(problems)
        )
    return arrays


def load_weights(
    name: str, path_or_hub_id: str | Path, sha256: str | None = None
) -> Variables:
    """Reads published weights as Flax variables.

    Args:
      name: a model with `specification(name).pretrained`.
      path_or_hub_id: a file (see `weight_files.read_arrays`), or an id on the Hugging
        Face hub such as "timm/resnet50.tv_in1k", whose file is cached and checked.
        PyTorch's names, folded convolutions with biases for `mobilenet_v2_tf`.
      sha256: the checksum the file must have, or at least its first eight digits;
        None checks nothing.

    Returns:
      As `from_torch_state_dict` does.

    Raises:
      ValueError: for a model without published weights, a file that is absent, cut
        short or of another kind, a hub that cannot be reached, and for arrays that do
        not fit.
    """
    arrays = read_arrays(find_weights(name, path_or_hub_id), sha256)
    return _convert(name, sources_for(IN_FILES[name], arrays), arrays)


def find_weights(name: str, path_or_hub_id: str | Path) -> Path:
    """Returns the file that `load_weights` reads, fetched where it is on the hub.

    What it holds is not looked at.

    Args:
      name: as for `load_weights`.
      path_or_hub_id: as for `load_weights`.

    Raises:
      ValueError: for a model without published weights, a file that is absent, and a
        hub that cannot be reached.
    """
    specification(name)
    if name not in IN_FILES:
        raise ValueError(
            f"name: there are no published weights for {name!r}, only for"
            f" {', '.join(sorted(IN_FILES))}; train it from the start"
        )
    asked, path = str(path_or_hub_id), Path(path_or_hub_id).expanduser()
    if path.exists() or not hub.is_hub_id(asked):
        check_file(path_or_hub_id)
        return path
    other = _OTHER_NETWORKS.get((name, asked.split("@")[0]))
    if other is not None:
        raise ValueError(
            f"path_or_hub_id: {asked!r} is another network than {name!r}: {other}"
        )
    return hub.fetch(asked)


def transfer(new: Variables, loaded: Variables) -> Variables:
    """Puts a loaded backbone under a new head.

    Args:
      new: variables as `module.init` gives for the classes at hand.
      loaded: variables as `load_weights` gives.

    Returns:
      The loaded backbone ("params" and "batch_stats"); the loaded head where it has as
      many classes as the new one, the new head otherwise.

    Raises:
      ValueError: where the two backbones differ, listing the places.
    """
    problems = []
    for collection in sorted({*new, *loaded}):
        ours, theirs = (
            {
                jax.tree_util.keystr(path): jnp.shape(leaf)
                for path, leaf in jax.tree_util.tree_leaves_with_path(
                    variables.get(collection, {}).get("backbone", {})
                )
            }
            for variables in (new, loaded)
        )
        problems += [
            f"{collection}{path}: {theirs.get(path, 'absent')} loaded,"
            f" {ours.get(path, 'absent')} needed"
            for path in sorted({*ours, *theirs})
            if ours.get(path) != theirs.get(path)
        ]
    if problems:
        raise ValueError(
            "loaded: not the backbone of the new model:\n  " + "\n  ".join(problems)
        )
    shapes = [
        jax.tree.map(jnp.shape, tree["params"].get("head")) for tree in (new, loaded)
    ]
    head = (loaded if shapes[0] == shapes[1] else new)["params"]["head"]
    params = {"backbone": loaded["params"]["backbone"], "head": head}
    return {**new, **loaded, "params": params}


def _torch_namings(name: str) -> tuple[Naming, ...]:
    specification(name)
    if name not in TORCH:
        raise ValueError(
            f"name: no PyTorch names are known for {name!r}, only for"
            f" {', '.join(sorted(TORCH))}"
        )
    return TORCH[name]


def _backbone_sources(name: str, state: Mapping[str, ArrayLike]) -> list[Source]:
    sources = sources_for(_torch_namings(name), state)
    return [source for source in sources if source.path[1] == "backbone"]


def _convert(
    name: str, sources: list[Source], arrays: Mapping[str, ArrayLike]
) -> Variables:
    problems = mismatches(name, sources, arrays)
    if problems:
        raise ValueError(
            f"the arrays do not fit {name!r}{hint(name, arrays)}:\n  "
            + "\n  ".join(problems)
        )
    return to_variables(sources, arrays)

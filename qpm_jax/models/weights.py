"""Published weights into Flax variables.

A file holds named arrays; a list of `Source` says, for each one, where it goes and how
its axes lie. Whatever is missing, unknown or misshaped is reported at once.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from qpm_jax.models import efficientnet_lite, mobilenet_v2
from qpm_jax.models.catalogue import create, specification

Variables = dict[str, Any]
Shape = tuple[int, ...]


class Layout(NamedTuple):
    """How the axes of an array lie in the file and how they come to Flax's order."""

    shape_in_file: Callable[[Shape], Shape]
    to_flax: Callable[[np.ndarray], np.ndarray]


# Names give the axes in the file; ours are HWIO, [H, W, C] depthwise, [in, out] 1×1.
AS_IS = Layout(lambda shape: shape, lambda array: array)
OIHW = Layout(lambda s: (s[3], s[2], s[0], s[1]), lambda a: a.transpose(2, 3, 1, 0))
OI11 = Layout(lambda s: (s[1], s[0], 1, 1), lambda a: a[:, :, 0, 0].T)
ONE_ONE_IO = Layout(lambda s: (1, 1, *s), lambda a: a[0, 0])
OUT_IN = Layout(lambda s: (s[1], s[0]), lambda a: a.T)
C1HW = Layout(lambda s: (s[2], 1, s[0], s[1]), lambda a: a[:, 0].transpose(1, 2, 0))
HW1C = Layout(lambda s: (s[0], s[1], 1, s[2]), lambda a: a[:, :, 0])


class Source(NamedTuple):
    """One array of a file: its key there, its place in the variables, its layout."""

    key: str
    path: tuple[str, ...]
    layout: Layout = AS_IS


def _block_expansions(stages: Any) -> list[int]:
    return [stage[0] for stage in stages for _ in range(stage[2])]


def _torch_norm(key: str, *path: str) -> Iterator[Source]:
    place = ("backbone", *path)
    yield Source(f"{key}.weight", ("params", *place, "scale"))
    yield Source(f"{key}.bias", ("params", *place, "bias"))
    yield Source(f"{key}.running_mean", ("batch_stats", *place, "mean"))
    yield Source(f"{key}.running_var", ("batch_stats", *place, "var"))


def _torch_convolution(key: str, layout: Layout, *path: str) -> Source:
    return Source(f"{key}.weight", ("params", "backbone", *path, "kernel"), layout)


def _efficientnet_lite0_sources() -> Iterator[Source]:
    """PyTorch state-dict names of EfficientNet-Lite0."""
    yield _torch_convolution("_conv_stem", OIHW, "stem")
    yield from _torch_norm("_bn0", "stem_norm")
    expansions = _block_expansions(efficientnet_lite.STAGES)
    for number, expansion in enumerate(expansions):
        key, block = f"_blocks.{number}", f"block{number:02d}"
        if expansion != 1:
            yield _torch_convolution(f"{key}._expand_conv", OI11, block, "expand")
            yield from _torch_norm(f"{key}._bn0", block, "expand_norm")
        yield _torch_convolution(f"{key}._depthwise_conv", C1HW, block, "depthwise")
        yield from _torch_norm(f"{key}._bn1", block, "depthwise_norm")
        yield _torch_convolution(f"{key}._project_conv", OI11, block, "project")
        yield from _torch_norm(f"{key}._bn2", block, "project_norm")
    yield _torch_convolution("_conv_head", OI11, "head")
    yield from _torch_norm("_bn1", "head_norm")
    yield Source("_fc.weight", ("params", "head", "kernel"), OUT_IN)
    yield Source("_fc.bias", ("params", "head", "bias"))


def _folded(key: str, layout: Layout, *path: str) -> Iterator[Source]:
    yield Source(f"{key}/w", ("params", *path, "kernel"), layout)
    yield Source(f"{key}/b", ("params", *path, "bias"))


def _mobilenet_v2_tf_sources() -> Iterator[Source]:
    """Names of the folded arrays: conv + bias, HWIO, depthwise HW1C."""
    yield from _folded("stem", AS_IS, "backbone", "stem")
    for number, expansion in enumerate(_block_expansions(mobilenet_v2.STAGES)):
        block = f"block{number:02d}"
        layouts = {"expand": ONE_ONE_IO, "depthwise": HW1C, "project": ONE_ONE_IO}
        if expansion == 1:
            del layouts["expand"]
        for part, layout in layouts.items():
            yield from _folded(f"{block}/{part}", layout, "backbone", block, part)
    yield from _folded("head", ONE_ONE_IO, "backbone", "head")
    yield from _folded("logits", AS_IS, "head")


_SOURCES = {
    "efficientnet_lite0": _efficientnet_lite0_sources,
    "mobilenet_v2_tf": _mobilenet_v2_tf_sources,
}
_TORCH_LAYOUT = ("efficientnet_lite0",)
# Counters that PyTorch keeps beside batch normalisation; they carry no weights.
_IGNORED_SUFFIX = "num_batches_tracked"


def from_torch_state_dict(name: str, state: Mapping[str, ArrayLike]) -> Variables:
    """Turns a PyTorch state dict into Flax variables.

    Args:
      name: a model whose published weights have PyTorch's names and axes.
      state: key -> array, as `state_dict()` gives (convert tensors to NumPy arrays).

    Returns:
      {"params": {"backbone", "head"}, "batch_stats": {"backbone"}}, float32; the number
      of classes is the state dict's own.

    Raises:
      ValueError: for a model without such weights, or listing every key that is
        missing, unknown or of another shape.
    """
    specification(name)
    if name not in _TORCH_LAYOUT:
        raise ValueError(
            f"name: no PyTorch names are known for {name!r}, only for"
            f" {', '.join(_TORCH_LAYOUT)}"
        )
    return _convert(name, state)


def load_weights(name: str, path_or_hub_id: str | Path) -> Variables:
    """Reads a published .npz of weights as Flax variables.

    Args:
      name: a model with `specification(name).pretrained`.
      path_or_hub_id: the file (ids of a hub are not served yet): PyTorch names for
        `efficientnet_lite0`, folded convolutions with biases for `mobilenet_v2_tf`.

    Returns:
      As `from_torch_state_dict` does; without "batch_stats" where the model has none.

    Raises:
      ValueError: for a model without published weights, a file that is absent, cut
        short or no .npz, and for arrays that do not fit.
    """
    specification(name)
    if name not in _SOURCES:
        raise ValueError(
            f"name: there are no published weights for {name!r}, only for"
            f" {', '.join(sorted(_SOURCES))}; train it from the start"
        )
    return _convert(name, _read_arrays(Path(path_or_hub_id)))


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


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise ValueError(f"path: no file {str(path)!r}; give the .npz with the weights")
    try:
        # Opened here: np.load leaves the file open where it fails.
        with path.open("rb") as file:
            archive = np.load(file)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive of named ones")
            return {key: archive[key] for key in archive.files}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        AttributeError,
    ) as error:
        raise ValueError(
            f"path: {str(path)!r} is no readable .npz file ({error}); it may be cut"
            " short: fetch it again"
        ) from error


def _convert(name: str, arrays: Mapping[str, ArrayLike]) -> Variables:
    sources = list(_SOURCES[name]())
    last = arrays.get(sources[-1].key)
    num_classes = np.shape(last)[0] if last is not None and np.ndim(last) else 1
    shapes = _variable_shapes(name, num_classes)
    problems = _mismatches(sources, arrays, shapes)
    if problems:
        raise ValueError(f"the arrays do not fit {name!r}:\n  " + "\n  ".join(problems))
    variables: Variables = {}
    for source in sources:
        *branch, leaf = source.path
        place = variables
        for step in branch:
            place = place.setdefault(step, {})
        array = source.layout.to_flax(np.asarray(arrays[source.key]))
        place[leaf] = jnp.asarray(array, jnp.float32)
    return variables


def _variable_shapes(name: str, num_classes: int) -> dict[tuple[str, ...], Shape]:
    module = create(name, num_classes)
    image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    variables = jax.eval_shape(module.init, jax.random.key(0), image)
    return {
        tuple(step.key for step in path): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(variables)
    }


def _mismatches(
    sources: list[Source],
    arrays: Mapping[str, ArrayLike],
    shapes: Mapping[tuple[str, ...], Shape],
) -> list[str]:
    problems = []
    for source in sources:
        expected = source.layout.shape_in_file(shapes[source.path])
        if source.key not in arrays:
            problems.append(f"missing: {source.key} {expected}")
        elif np.shape(arrays[source.key]) != expected:
            found = np.shape(arrays[source.key])
            problems.append(f"misshaped: {source.key} {found}, expected {expected}")
    known = {source.key for source in sources}
    problems += [
        f"unknown: {key}"
        for key in arrays
        if key not in known and not key.endswith(_IGNORED_SUFFIX)
    ]
    return problems

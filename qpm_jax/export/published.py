"""The state dict of a whole QPM, as the code published with it has it.

The backbone's arrays have their usual names; the head is `linear.selection` [n]
(channels of the backbone), `linear.mean` and `linear.std` [n] in the order of the
selection, and `linear.layer.weight` [C, n], the assignment (QPM, arXiv 2502.20130, and
CHiQPM, arXiv 2511.20779). Which of the two a file is, its strides and the colours it
expects, it does not say; docs/backbones.md has them for the authors' files.
"""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict
from jax.typing import ArrayLike

from qpm_jax import models
from qpm_jax.models.conversion import Variables
from qpm_jax.models.namings import TORCH, carries_weights
from qpm_jax.models.recognise import hint
from qpm_jax.models.weights import backbone_mismatches

_HEAD = {
    "selected": "linear.selection",
    "mean": "linear.mean",
    "std": "linear.std",
    "assignment": "linear.layer.weight",
}
_HEAD_PREFIX = "linear."
_BIAS = "linear.layer.bias"


def from_published(
    name: str,
    state: Mapping[str, ArrayLike],
    reduced_strides: bool = True,
    head: type[models.BinaryHead] = models.BinaryHead,
    *,
    unbounded_maps: bool = False,
) -> tuple[models.QPMNetwork, Variables]:
    """Turns the state dict of a QPM or CHiQPM into a network and its variables.

    Args:
      name: the backbone, "resnet50" for the files the authors have published; or any
        other, for arrays of `to_published`.
      state: key -> array (`models.weight_files.read_arrays` reads .pth files).
      reduced_strides: as the network was trained; the authors' default is True, and
        their files trained on ImageNet need False.
      head: `models.BinaryHead` for QPM, `models.RectifiedHead` for CHiQPM.
      unbounded_maps: as the network was trained (`models.create`).

    Returns:
      The network, `network.apply(variables, images)` giving (logits, features, maps),
      and its variables. `images` [N,h,w,3] are prepared as in training: for the
      authors' CUB files at 224×224 pixels, stretched crops of the ground-truth boxes
      (or the middle of whole photos, for the file trained on those), as
      (x/255 − mean)/std with `qpm_jax.datasets.cub.MEAN` and `STD`; for their ImageNet
      files the middle 224×224 of photos whose shorter side is 256. Their code takes
      x/255 there; whether those networks were trained so is not known.

    Raises:
      ValueError: for an unknown name; listing every key of head and backbone that is
        missing, unknown or of another shape; or where the head is no assignment of -1,
        0 and 1 without bias (an SLDD-Model or Q-SENN).
    """
    models.specification(name)
    backbone = {k: v for k, v in state.items() if not k.startswith(_HEAD_PREFIX)}
    _check_keys(name, state, backbone)
    arrays = _head_arrays(state)
    variables = (
        models.backbone_from_torch_state_dict(name, backbone)
        if name in TORCH
        else _from_places(backbone)
    )
    dense = models.create(
        name, 1, reduced_strides=reduced_strides, unbounded_maps=unbounded_maps
    )
    return models.QPMNetwork(backbone=dense.backbone, head=head(**arrays)), variables


def to_published(
    name: str, head: models.BinaryHead, variables: Variables
) -> dict[str, np.ndarray]:
    """Turns a network into the state dict that `from_published` reads.

    Args:
      name: the backbone.
      head: its binary head.
      variables: the network's variables, {"params": {"backbone"}, …}.

    Returns:
      key -> array by rows, float32 but the selection, int64; PyTorch's names where the
      backbone has them (torchvision's, else its authors'), else the places in the
      variables joined by points ("params.backbone.stem.kernel").

    Raises:
      ValueError: where the variables are not those of the backbone.
    """
    arrays = (
        models.to_torch_state_dict(name, variables)
        if name in TORCH
        else _to_places(variables)
    )
    selected = np.asarray(head.selected, np.int64)
    for part in ("mean", "std"):
        values = np.asarray(getattr(head, part), np.float32)
        chosen = values if len(values) == len(selected) else values[selected]
        arrays[_HEAD[part]] = chosen
    arrays[_HEAD["selected"]] = selected
    arrays[_HEAD["assignment"]] = np.asarray(head.assignment, np.float32)
    # safetensors writes memory as it lies, whatever the order of the axes.
    return {key: np.ascontiguousarray(array) for key, array in arrays.items()}


def _check_keys(
    name: str, state: Mapping[str, ArrayLike], backbone: Mapping[str, ArrayLike]
) -> None:
    """Raises where keys of head or backbone are missing or unknown, and lists them."""
    missing = [key for key in _HEAD.values() if key not in state]
    known = {*_HEAD.values(), _BIAS, *backbone}
    unknown = [key for key in state if key not in known and carries_weights(key)]
    wrong = [f"missing: {key}" for key in missing]
    wrong += [f"unknown: {key}" for key in unknown]
    wrong += (backbone_mismatches if name in TORCH else _place_mismatches)(
        name, backbone
    )
    if wrong:
        dense = (
            "; they are no whole QPM; a dense network is read by"
            " qpm_jax.models.from_torch_state_dict"
        )
        raise ValueError(
            f"state: the arrays do not fit {name!r}{hint(name, backbone)}"
            f"{dense if len(missing) == len(_HEAD) else ''}:\n  " + "\n  ".join(wrong)
        )


def _head_arrays(state: Mapping[str, ArrayLike]) -> dict[str, Any]:
    """Returns what a head is made of, its weights checked."""
    arrays: dict[str, Any] = {
        part: np.asarray(state[key]) for part, key in _HEAD.items()
    }
    weights = arrays["assignment"]
    if not np.isin(weights, (-1, 0, 1)).all() or np.any(state.get(_BIAS, 0)):
        raise ValueError(
            "state: linear.layer holds a bias or other weights than -1, 0 and 1; that"
            " is an SLDD-Model or Q-SENN, allowed are QPM and CHiQPM"
        )
    ternary = bool((weights < 0).any())
    arrays["assignment"] = weights.astype(int) if ternary else weights > 0
    arrays["selected"] = arrays["selected"].astype(int)
    return arrays


def _to_places(variables: Variables, prefix: str = "") -> dict[str, np.ndarray]:
    leaves: dict[str, np.ndarray] = {}
    for key, value in variables.items():
        if isinstance(value, Mapping):
            leaves |= _to_places(dict(value), f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = np.array(value, np.float32)
    return leaves


def _from_places(arrays: Mapping[str, ArrayLike]) -> Variables:
    variables: Variables = {}
    for place, array in arrays.items():
        *branch, leaf = place.split(".")
        inner = variables
        for step in branch:
            inner = inner.setdefault(step, {})
        inner[leaf] = np.asarray(array)
    return variables


def _place_mismatches(name: str, arrays: Mapping[str, ArrayLike]) -> list[str]:
    """As `backbone_mismatches`, for arrays named by their places in the variables."""
    dense = models.create(name, 1)
    size = models.specification(name).image_size
    image = jax.ShapeDtypeStruct((1, *size, 3), np.float32)
    made = jax.eval_shape(dense.init, jax.random.key(0), image)
    wanted = {
        ".".join(path): tuple(leaf.shape)  # type: ignore[missing-attribute]
        for path, leaf in flatten_dict(made).items()
        if path[1] == "backbone"
    }
    found = {place: np.shape(array) for place, array in arrays.items()}
    wrong = [
        f"missing: {place} {shape}"
        if place not in found
        else f"misshaped: {place} {found[place]}, expected {shape}"
        for place, shape in wanted.items()
        if found.get(place) != shape
    ]
    return wrong + [f"unknown: {place}" for place in found if place not in wanted]

"""One array of a weights file: its key, its place in the variables, its axes there.

A table of `Source`s is all that a network needs to be read from a file and written to
one; the tables lie beside the networks, in `*_names_*.py`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Shape = tuple[int, ...]


class Layout(NamedTuple):
    """How the axes of an array lie in the file, and the way there and back."""

    shape_in_file: Callable[[Shape], Shape]
    to_flax: Callable[[np.ndarray], np.ndarray]
    to_file: Callable[[np.ndarray], np.ndarray]


# Names give the axes in the file; ours are HWIO, [H, W, C] depthwise, [in, out] 1×1.
AS_IS = Layout(lambda shape: shape, lambda array: array, lambda array: array)
OIHW = Layout(
    lambda s: (s[3], s[2], s[0], s[1]),
    lambda a: a.transpose(2, 3, 1, 0),
    lambda a: a.transpose(3, 2, 0, 1),
)
OI11 = Layout(
    lambda s: (s[1], s[0], 1, 1),
    lambda a: a[:, :, 0, 0].T,
    lambda a: a.T[:, :, None, None],
)
ONE_ONE_IO = Layout(lambda s: (1, 1, *s), lambda a: a[0, 0], lambda a: a[None, None])
OUT_IN = Layout(lambda s: (s[1], s[0]), lambda a: a.T, lambda a: a.T)
C1HW = Layout(
    lambda s: (s[2], 1, s[0], s[1]),
    lambda a: a[:, 0].transpose(1, 2, 0),
    lambda a: a.transpose(2, 0, 1)[:, None],
)
HW1C = Layout(
    lambda s: (s[0], s[1], 1, s[2]), lambda a: a[:, :, 0], lambda a: a[:, :, None]
)
C11 = Layout(lambda s: (*s, 1, 1), lambda a: a[:, 0, 0], lambda a: a[:, None, None])
ONE_TD = Layout(lambda s: (1, *s), lambda a: a[0], lambda a: a[None])


class Source(NamedTuple):
    """One array of a file: its key there, its place in the variables, its layout."""

    key: str
    path: tuple[str, ...]
    layout: Layout = AS_IS


def parameter(key: str, layout: Layout, *path: str) -> Source:
    """Returns where one parameter of the backbone comes from."""
    return Source(key, ("params", "backbone", *path), layout)


def kernel(key: str, layout: Layout, *path: str) -> Source:
    """Returns where the kernel of a PyTorch layer without bias comes from."""
    return parameter(f"{key}.weight", layout, *path, "kernel")


def affine(key: str, layout: Layout, *path: str) -> Iterator[Source]:
    """Yields where the kernel and the bias of a PyTorch layer come from."""
    yield kernel(key, layout, *path)
    yield parameter(f"{key}.bias", AS_IS, *path, "bias")


def layer_norm(key: str, *path: str) -> Iterator[Source]:
    """Yields where a PyTorch normalisation's scale and shift come from."""
    yield parameter(f"{key}.weight", AS_IS, *path, "scale")
    yield parameter(f"{key}.bias", AS_IS, *path, "bias")


def batch_norm(key: str, *path: str) -> Iterator[Source]:
    """Yields where a PyTorch batch normalisation comes from, statistics included."""
    yield from layer_norm(key, *path)
    yield Source(f"{key}.running_mean", ("batch_stats", "backbone", *path, "mean"))
    yield Source(f"{key}.running_var", ("batch_stats", "backbone", *path, "var"))


def dense_head(key: str) -> Iterator[Source]:
    """Yields where the dense head comes from: a PyTorch linear layer."""
    yield Source(f"{key}.weight", ("params", "head", "kernel"), OUT_IN)
    yield Source(f"{key}.bias", ("params", "head", "bias"))

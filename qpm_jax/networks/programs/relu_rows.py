"""The ReLU h = max(0, z) with one binary a for each, in three encodings.

docs/networks.md (e). With −M⁻ ≤ z ≤ M⁺,

- "big_m": h ≥ z, h ≤ z + M⁻ (1 − a), h ≤ M⁺ a, h ≥ 0;
- "indicator": h ≥ z, h ≥ 0; a = 1 ⇒ h ≤ z, a = 0 ⇒ h ≤ 0, for solvers that take it;
- "partitioned": big-M, and z's terms in groups, z = Σ_g s_g, each with a copy of its
  share of h, s⁺_g = s_g if a = 1 and 0 if a = 0,

      a [l_g, u_g] ∋ s⁺_g,   (1 − a) [l_g, u_g] ∋ s_g − s⁺_g,   h = Σ_g s⁺_g,

  which is between big-M (one group) and the convex hull (one term a group); after
  Tsay, Kronqvist, Thebelt, Misener, arXiv 2102.04373, with the roles of weights and
  inputs exchanged in the first layer.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.programs.affine import Affine
from qpm_jax.networks.programs.rows import Rows, make_rows

ENCODINGS = ("big_m", "indicator", "partitioned")
GROUPS = 4


@dataclass(frozen=True, eq=False)
class ReLUColumns:
    """The variables of a layer's ReLUs, int64 [N, n] each.

    Attributes:
        values: z.
        active: h.
        on: a.
    """

    values: Int[np.ndarray, "N n"]
    active: Int[np.ndarray, "N n"]
    on: Int[np.ndarray, "N n"]


def relu_rows(
    relu: ReLUColumns,
    lower: Float[np.ndarray, "N n"],
    upper: Float[np.ndarray, "N n"],
) -> list[Rows]:
    """The big-M rows.

    Args:
        relu: the variables.
        lower: −M⁻.
        upper: M⁺.

    Returns:
        The rows; h ≥ 0 is a bound of the variable.
    """
    below, above = np.minimum(lower, 0.0), np.maximum(upper, 0.0)
    return [
        above_rows(relu),
        make_rows(
            [(relu.active, 1.0), (relu.values, -1.0), (relu.on, -below)], upper=-below
        ),
        make_rows([(relu.active, 1.0), (relu.on, -above)], upper=0.0),
    ]


def above_rows(relu: ReLUColumns) -> Rows:
    """The row h ≥ z."""
    return make_rows([(relu.active, 1.0), (relu.values, -1.0)], lower=0.0)


def indicator_rows(
    relu: ReLUColumns,
) -> tuple[list[Rows], Int[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Rows that hold only where a has a value.

    Args:
        relu: the variables.

    Returns:
        The rows, the binary each depends on, and the value that switches it on.
    """
    number = relu.on.size
    rows = [
        make_rows([(relu.active, 1.0), (relu.values, -1.0)], upper=0.0),
        make_rows([(relu.active, 1.0)], upper=0.0),
    ]
    binaries = np.concatenate([relu.on.reshape(-1)] * 2)
    return rows, binaries, np.repeat([1.0, 0.0], number)


def group_slices(terms: int, groups: int = GROUPS) -> list[slice]:
    """Which terms go into which group.

    Args:
        terms: K.
        groups: at most so many.
    """
    ends = np.linspace(0, terms, min(terms, groups) + 1).astype(int)
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def group_ranges(
    affine: Affine, lower: Float[np.ndarray, " V"], upper: Float[np.ndarray, " V"]
) -> tuple[Float[np.ndarray, "N n G"], Float[np.ndarray, "N n G"]]:
    """What every group of terms can be, from the bounds of the variables.

    Args:
        affine: the terms.
        lower: float64 [V].
        upper: float64 [V].

    Returns:
        The least and the most, [N, n, G].
    """
    one = affine.coefficients * lower[affine.columns]
    other = affine.coefficients * upper[affine.columns]
    least, most = np.minimum(one, other), np.maximum(one, other)
    parts = group_slices(affine.columns.shape[-1])
    return (
        np.stack([least[..., part].sum(axis=-1) for part in parts], axis=-1),
        np.stack([most[..., part].sum(axis=-1) for part in parts], axis=-1),
    )


def partition_rows(
    relu: ReLUColumns,
    affine: Affine,
    shares: Int[np.ndarray, "N n G"],
    ranges: tuple[Float[np.ndarray, "N n G"], Float[np.ndarray, "N n G"]],
) -> list[Rows]:
    """The rows that "partitioned" adds to big-M.

    Args:
        relu: the variables.
        affine: the terms of z.
        shares: s⁺, one a group.
        ranges: l and u of every group.
    """
    least, most = ranges
    rows = [make_rows([(relu.active, -1.0)], 0.0, 0.0, sums=[(shares, 1.0)])]
    for group, part in enumerate(group_slices(affine.columns.shape[-1])):
        share, low, high = shares[..., group], least[..., group], most[..., group]
        rest = [(affine.columns[..., part], affine.coefficients[..., part])]
        minus = (share, -1.0)
        rows += [
            make_rows([(share, 1.0), (relu.on, -low)], lower=0.0),
            make_rows([(share, 1.0), (relu.on, -high)], upper=0.0),
            make_rows([minus, (relu.on, low)], lower=low, sums=rest),
            make_rows([minus, (relu.on, high)], upper=high, sums=rest),
        ]
    return rows

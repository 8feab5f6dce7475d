"""Variables and rows of a layer of maxima m = max_k z_k, in three encodings.

docs/networks.md, Verification. A unit of which one piece always wins is that piece and
has no binary. Of the others every piece that can win has one, Σ_k g_k = 1, and m ≥ z_k;

- "big_m": m ≤ z_k + Σ_j N_jk g_j, with N_jk the most of z_j − z_k in the box, which
  for a ReLU is big-M; after Anderson, Huchette, Ma, Tjandraatmadja, Vielma,
  arXiv 1811.01988;
- "indicator": g_k = 1 ⇒ m ≤ z_k, for solvers that take it;
- "partitioned": big-M and the rows of `partition_rows`, for 0 and one other piece.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.networks.programs.affine import Affine
from qpm_jax.networks.programs.beyond_linear import Switched
from qpm_jax.networks.programs.max_layer import MaxLayer, piece_leads, winning_pieces
from qpm_jax.networks.programs.relu_rows import (
    GROUPS,
    ReLUColumns,
    group_ranges,
    partition_rows,
)
from qpm_jax.networks.programs.rows import Rows, make_rows


@dataclass(frozen=True, eq=False)
class LayerPart:
    """What a layer adds to a program.

    Attributes:
        rows: its rows.
        switched: rows that depend on a binary.
        lower: float64 [new], least values of its variables.
        upper: float64 [new], most.
        units: int64 [n], m, the first of the new variables.
        binaries: int64 [B], g.
    """

    rows: list[Rows]
    switched: list[Switched]
    lower: Float[np.ndarray, " new"]
    upper: Float[np.ndarray, " new"]
    units: Int[np.ndarray, " n"]
    binaries: Int[np.ndarray, " B"]


@dataclass(frozen=True, eq=False)
class _MaxColumns:
    """The variables of a layer; E pieces can win, B of them of more than one in a unit.

    Attributes:
        unit: int64 [E], whose piece it is.
        place: int64 [E], which of the unit's.
        values: int64 [E], z.
        units: int64 [n], m.
        contested: bool [E], whether another piece of the unit can win, too.
        chosen: int64 [n, P], g; −1 where a piece has none.
        binaries: int64 [B], all g.
    """

    unit: Int[np.ndarray, " E"]
    place: Int[np.ndarray, " E"]
    values: Int[np.ndarray, " E"]
    units: Int[np.ndarray, " n"]
    contested: Bool[np.ndarray, " E"]
    chosen: Int[np.ndarray, "n P"]
    binaries: Int[np.ndarray, " B"]


def layer_part(
    layer: MaxLayer,
    inputs: Int[np.ndarray, " I"],
    lower: Float[np.ndarray, " I"],
    upper: Float[np.ndarray, " I"],
    start: int,
    relu: str,
) -> LayerPart:
    """Variables and rows of a layer whose inputs are in a box.

    Args:
        layer: the layer.
        inputs: [I], the variables it reads.
        lower: [I], their least values.
        upper: [I], their most.
        start: index of the first new variable.
        relu: "big_m", "indicator", or "partitioned" where there are two pieces a unit.
    """
    leads = piece_leads(layer, lower, upper)
    columns = _columns(winning_pieces(leads), start)
    rows = [_value_rows(layer, columns, inputs), *_largest_rows(columns)]
    switched = [_indicator_rows(columns)] if relu == "indicator" else []
    if not switched:
        rows.append(_big_m_rows(columns, leads))
    kept = columns.unit, columns.place
    least, most = -leads[:, 0], leads[:, :, 0]
    new_lower = np.r_[least.max(axis=1), least[kept], 0.0 * columns.binaries]
    new_upper = np.r_[most.max(axis=1), most[kept], 0.0 * columns.binaries + 1]
    if relu == "partitioned":
        behind = start + len(new_lower)
        parts, shares = _partition(layer, columns, inputs, lower, upper, behind)
        rows += parts
        new_lower = np.r_[new_lower, np.full(shares, -np.inf)]
        new_upper = np.r_[new_upper, np.full(shares, np.inf)]
    return LayerPart(
        rows, switched, new_lower, new_upper, columns.units, columns.binaries
    )


def _columns(wins: Bool[np.ndarray, "n P"], start: int) -> _MaxColumns:
    """Numbers the variables: m, then z, then g."""
    unit, place = np.nonzero(wins)
    contested = wins.sum(axis=1)[unit] > 1
    units = start + np.arange(len(wins))
    values = start + len(units) + np.arange(len(unit))
    binaries = start + len(units) + len(unit) + np.arange(contested.sum())
    chosen = np.full(wins.shape, -1)
    chosen[unit[contested], place[contested]] = binaries
    return _MaxColumns(unit, place, values, units, contested, chosen, binaries)


def _value_rows(
    layer: MaxLayer, columns: _MaxColumns, inputs: Int[np.ndarray, " I"]
) -> Rows:
    """What z is."""
    kept = columns.unit, columns.place
    sums = [(inputs[layer.terms.columns[kept]], layer.terms.coefficients[kept])]
    minus = -layer.biases[kept]
    return make_rows([(columns.values, -1.0)], minus, minus, sums=sums)


def _largest_rows(columns: _MaxColumns) -> list[Rows]:
    """Rows m = z of a piece without rivals; else m ≥ z, and one piece is chosen."""
    largest = columns.units[columns.unit]
    sure, open_ = ~columns.contested, columns.contested
    rivals = columns.chosen[np.unique(columns.unit[open_])]
    return [
        make_rows([(largest[sure], 1.0), (columns.values[sure], -1.0)], 0.0, 0.0),
        make_rows([(largest[open_], 1.0), (columns.values[open_], -1.0)], lower=0.0),
        make_rows([], 1.0, 1.0, sums=[(rivals, rivals >= 0)]),
    ]


def _big_m_rows(columns: _MaxColumns, leads: Float[np.ndarray, "n P P"]) -> Rows:
    """Rows m ≤ z_k + Σ_j N_jk g_j."""
    unit, place = columns.unit[columns.contested], columns.place[columns.contested]
    rivals = columns.chosen[unit]
    terms = [(columns.units[unit], 1.0), (columns.values[columns.contested], -1.0)]
    above = np.where(rivals >= 0, leads[unit, :, place], 0.0)
    return make_rows(terms, upper=0.0, sums=[(rivals, -above)])


def _indicator_rows(columns: _MaxColumns) -> Switched:
    """Rows m ≤ z_k where g_k = 1."""
    largest = columns.units[columns.unit[columns.contested]]
    values = columns.values[columns.contested]
    rows = make_rows([(largest, 1.0), (values, -1.0)], upper=0.0)
    return [rows], columns.binaries, np.ones(len(columns.binaries))


def _partition(
    layer: MaxLayer,
    columns: _MaxColumns,
    inputs: Int[np.ndarray, " I"],
    lower: Float[np.ndarray, " I"],
    upper: Float[np.ndarray, " I"],
    start: int,
) -> tuple[list[Rows], int]:
    """Rows of h = max(0, z) for z = Σ s_g + b and h = Σ s⁺_g + b a, and how many s⁺.

    The bias is a number here: it joins the groups as a multiple of the binary.
    """
    here = columns.contested & (columns.place == 1)
    unit = columns.unit[here][:, None]
    triple = ReLUColumns(
        columns.values[here][:, None], columns.units[unit], columns.chosen[unit, 1]
    )
    terms, factors = layer.terms.columns[unit, 1], layer.terms.coefficients[unit, 1]
    groups = min(terms.shape[-1], GROUPS)
    shares = start + np.arange(len(unit) * groups).reshape(-1, 1, groups)
    ranges = group_ranges(Affine(terms, factors), lower, upper)
    rows = partition_rows(triple, Affine(inputs[terms], factors), shares, ranges)
    bias = layer.biases[unit, 1]
    rows[0] = make_rows(
        [(triple.active, -1.0), (triple.on, bias)], 0.0, 0.0, sums=[(shares, 1.0)]
    )
    return rows, shares.size

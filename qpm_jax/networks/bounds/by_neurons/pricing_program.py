"""The program of the neuron that gains most, for given output weights.

Maximise Σ_i g_i ReLU(w · x_i + b) − λ₁ ‖w‖₁ − λ₂ ‖w‖² over |w|, |b| ≤ U. Where g_i < 0
ReLU is convex and needs no binary; where g_i > 0 it has one and big-M rows. Squares are
bounded from below by tangents, so the answer may be too large by a trifle and never too
small.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram

# Where squares have tangents, as parts of U; and where the best neuron known is.
_TANGENTS = np.array([0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.22, 0.32, 0.45, 0.65, 0.9])


@dataclass(frozen=True, eq=False)
class Pricing:
    """What is asked: the neuron, near which squares are exact, that gains most.

    Attributes:
        problem: the problem.
        slopes: float64 [N], g = α v.
        near: float64 [F], weights of the best neuron known.
    """

    problem: NetworkProblem
    slopes: Float[np.ndarray, " N"]
    near: Float[np.ndarray, " F"]

    @property
    def gaining(self) -> Float[np.ndarray, "P F"]:
        """Instances of g > 0."""
        return self.problem.features[self.slopes > 0]

    @property
    def losing(self) -> Float[np.ndarray, "Q F"]:
        """Instances of g < 0."""
        return self.problem.features[self.slopes < 0]


@dataclass(frozen=True, eq=False)
class Columns:
    """w⁺, w⁻ [F], b, squares [F], ReLUs where g > 0 [P] and g < 0 [Q], binaries [P]."""

    plus: Int[np.ndarray, " F"]
    minus: Int[np.ndarray, " F"]
    bias: Int[np.ndarray, " 1"]
    squares: Int[np.ndarray, " F"]
    gaining: Int[np.ndarray, " P"]
    losing: Int[np.ndarray, " Q"]
    binaries: Int[np.ndarray, " P"]
    number: int


@dataclass(frozen=True, eq=False)
class Region:
    """Where neurons that gain enough are: ‖w‖₁ ≤ reach, b in [low, high]."""

    reach: float
    low: float
    high: float


def everywhere(pricing: Pricing) -> Region:
    """The region of all neurons."""
    limit = pricing.problem.weight_limit
    return Region(limit * len(pricing.near), -limit, limit)


def make_columns(pricing: Pricing) -> Columns:
    """Numbers the variables."""
    features = len(pricing.near)
    gaining, losing = len(pricing.gaining), len(pricing.losing)
    sizes = [features, features, 1, features, gaining, losing, gaining]
    ends = np.cumsum([0, *sizes])
    parts = [np.arange(start, end) for start, end in itertools.pairwise(ends)]
    return Columns(*parts, number=int(ends[-1]))


def make_program(
    pricing: Pricing,
    columns: Columns,
    cuts: list[Rows],
    region: Region,
    least: float,
    whole: bool,
    objective: Float[np.ndarray, " V"] | None = None,
) -> MixedIntegerProgram:
    """The program of neurons in a region that gain at least so much.

    Args:
        pricing: what is asked.
        columns: of it.
        cuts: rows that hold for every neuron.
        region: where neurons are looked for.
        least: the gain.
        whole: whether the binaries are; if not, it is the relaxation.
        objective: maximised; None for the gain.
    """
    gain = _gain(pricing, columns)
    enough = make_rows([], lower=least, sums=[(np.arange(columns.number)[None], gain)])
    parts = [
        *_convex_rows(pricing, columns),
        *cuts,
        *_region_rows(pricing, columns, region),
        enough,
    ]
    matrix, low, high = stacked(parts, columns.number)
    lower, upper = np.zeros(columns.number), np.full(columns.number, np.inf)
    upper[np.r_[columns.plus, columns.minus]] = pricing.problem.weight_limit
    lower[columns.bias], upper[columns.bias] = region.low, region.high
    upper[columns.binaries] = 1.0
    integer = np.zeros(columns.number, bool)
    integer[columns.binaries] = whole
    sought = gain if objective is None else objective
    return MixedIntegerProgram(
        sought, matrix, low, high, lower, upper, integer, maximise=True
    )


def along(
    columns: Int[np.ndarray, " F"], values: Float[np.ndarray, "... F"]
) -> tuple[Int[np.ndarray, "... F"], Float[np.ndarray, "... F"]]:
    """The same columns for every row of values."""
    return np.broadcast_to(columns, values.shape), values


def _gain(pricing: Pricing, columns: Columns) -> Float[np.ndarray, " V"]:
    gain, slopes = np.zeros(columns.number), pricing.slopes
    gain[columns.plus] = gain[columns.minus] = -pricing.problem.l1
    gain[columns.squares] = -pricing.problem.l2
    gain[columns.gaining], gain[columns.losing] = slopes[slopes > 0], slopes[slopes < 0]
    return gain


def _convex_rows(pricing: Pricing, columns: Columns) -> list[Rows]:
    """ReLUs that lose are at least their arguments, squares above their tangents."""
    rows, down, limit = [], pricing.losing, pricing.problem.weight_limit
    if len(down):
        terms = [(columns.losing, 1.0), (columns.bias, -1.0)]
        sums = [along(columns.plus, -down), along(columns.minus, down)]
        rows.append(make_rows(terms, lower=0.0, sums=sums))
    if pricing.problem.l2:
        shape = (len(_TANGENTS), len(pricing.near))
        at = np.broadcast_to(_TANGENTS[:, None] * limit, shape)
        at = np.concatenate([at, np.abs(pricing.near)[None]])
        terms = [
            (columns.squares, 1.0),
            (columns.plus, -2 * at),
            (columns.minus, -2 * at),
        ]
        rows.append(make_rows(terms, lower=-(at**2)))
    return rows


def _region_rows(pricing: Pricing, columns: Columns, region: Region) -> list[Rows]:
    """Big-M rows of the ReLUs that gain, and the limit on ‖w‖₁."""
    data, limit = pricing.gaining, pricing.problem.weight_limit
    spread = np.minimum(
        region.reach * np.abs(data).max(axis=1), limit * np.abs(data).sum(axis=1)
    )
    most = np.maximum(spread + region.high, 0.0)
    least = np.maximum(spread - region.low, 0.0)
    relus, binaries = columns.gaining, columns.binaries
    sizes = np.r_[columns.plus, columns.minus][None]
    return [
        make_rows([(relus, 1.0), (binaries, -most)], upper=0.0),
        make_rows(
            [(relus, 1.0), (columns.bias, -1.0), (binaries, least)],
            upper=least,
            sums=[along(columns.plus, -data), along(columns.minus, data)],
        ),
        make_rows([], upper=region.reach, sums=[(sizes, 1.0)]),
    ]

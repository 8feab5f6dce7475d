"""The most that a neuron of given output weights can gain: relaxation, then proof."""

import dataclasses
import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.bounds.by_neurons.dual_program import Neurons
from qpm_jax.networks.bounds.by_neurons.hull_rows import hull_rows, nearest_rows
from qpm_jax.networks.bounds.by_neurons.pricing_program import (
    Columns,
    Pricing,
    Region,
    everywhere,
    make_columns,
    make_program,
)
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.rows import Rows
from qpm_jax.solvers import MixedIntegerProgram, Solution

_NARROWINGS = 4
# A narrowing, or a round of cuts, that changes less than a tenth, or a hundredth of
# what is too much, is the last.
_SHRINKS = 0.9
_GAINS = 0.01
_TIGHT = 1e-6


@dataclass(frozen=True, eq=False)
class Gain:
    """What is known of the largest gain.

    Attributes:
        most: no neuron gains more, inf where nothing is known.
        cuts: rows that hold for every neuron and are worth having.
        weights: float64 [F] of a neuron that gains more than asked for, or None.
        bias: of it.
    """

    most: float
    cuts: tuple[Rows, ...] = ()
    weights: Float[np.ndarray, " F"] | None = None
    bias: float = 0.0

    def neuron(self, choice: int) -> Neurons | None:
        """The neuron that was found, with its output weights."""
        if self.weights is None:
            return None
        one = np.array([self.bias]), np.array([choice])
        return Neurons(self.weights[None], *one)


def relaxed_gain(
    pricing: Pricing,
    least: float,
    rounds: int,
    time_limit: float,
    cuts: tuple[Rows, ...] = (),
) -> Gain:
    """Bounds the gain by a linear program, with cuts added where they are broken.

    Args:
        pricing: what is asked.
        least: a gain that is of no interest, at least 0.
        rounds: of cuts, at most.
        time_limit: seconds.
        cuts: known ones.

    Returns:
        `most` is `least` where no neuron gains more, inf without time.
    """
    deadline = time.perf_counter() + time_limit
    columns = make_columns(pricing)
    if not len(columns.gaining):
        return Gain(least)
    kept = list(cuts) or nearest_rows(pricing, columns)
    most, region = np.inf, everywhere(pricing)
    values = np.zeros(columns.number)
    for place in range(rounds + 1):
        program = make_program(pricing, columns, kept, region, least, whole=False)
        answer = _solved(program, deadline)
        if answer.status == "infeasible":
            return Gain(least, tuple(kept))
        if answer.status != "optimal":
            break
        slow = most - answer.bound < _GAINS * (answer.bound - least)
        most, values = answer.bound, answer.values
        if place == rounds or slow:
            break
        left = deadline - time.perf_counter()
        found = hull_rows(pricing, columns, values, max(0.0, left))
        if found is None:
            break
        kept.append(found)
    return Gain(most, tuple(_tight(each, values) for each in kept))


def largest_gain(
    pricing: Pricing, least: float, time_limit: float, cuts: tuple[Rows, ...] = ()
) -> Gain:
    """Whether a neuron gains more than `least`, and how much more at most.

    Args:
        pricing: what is asked.
        least: at least 0.
        time_limit: seconds.
        cuts: rows that hold for every neuron, from `relaxed_gain`.

    Returns:
        `most` is `least` where no neuron gains more.
    """
    deadline = time.perf_counter() + time_limit
    columns, region = make_columns(pricing), everywhere(pricing)
    if not len(columns.gaining):
        return Gain(least)
    known = list(cuts)
    for _ in range(_NARROWINGS):
        narrower = _narrowed(pricing, columns, known, region, least, deadline)
        if narrower is None:
            return Gain(least, cuts)
        slow = narrower.reach > _SHRINKS * region.reach
        region = narrower
        if slow:
            break
    program = make_program(pricing, columns, known, region, least, whole=True)
    answer = _solved(program, deadline)
    if answer.status == "infeasible":
        return Gain(least, cuts)
    most = max(least, answer.bound) if np.isfinite(answer.bound) else np.inf
    if not answer.found:
        return Gain(most, cuts)
    values = answer.values
    weights = values[columns.plus] - values[columns.minus]
    return Gain(most, cuts, weights, float(values[columns.bias[0]]))


def _solved(program: MixedIntegerProgram, deadline: float) -> Solution:
    left = max(0.0, deadline - time.perf_counter())
    return inner_solve(program, left, gap=0.01)


def _tight(rows: Rows, values: Float[np.ndarray, " V"]) -> Rows:
    """The rows that hold just so."""
    reached = np.bincount(
        rows.row, rows.value * values[rows.column], minlength=len(rows.upper)
    )
    kept = reached > rows.upper - _TIGHT
    number = np.cumsum(kept) - 1
    stays = kept[rows.row]
    return dataclasses.replace(
        rows,
        row=number[rows.row[stays]],
        column=rows.column[stays],
        value=rows.value[stays],
        lower=rows.lower[kept],
        upper=rows.upper[kept],
    )


def _narrowed(
    pricing: Pricing,
    columns: Columns,
    cuts: list[Rows],
    region: Region,
    least: float,
    deadline: float,
) -> Region | None:
    """The region that the relaxation leaves; None where it leaves nothing."""
    sizes, offset = np.zeros(columns.number), np.zeros(columns.number)
    sizes[np.r_[columns.plus, columns.minus]] = 1.0
    offset[columns.bias] = 1.0
    ends = []
    for objective, known in (
        (sizes, region.reach),
        (offset, region.high),
        (-offset, -region.low),
    ):
        program = make_program(pricing, columns, cuts, region, least, False, objective)
        answer = _solved(program, deadline)
        if answer.status == "infeasible":
            return None
        best = answer.bound + 1e-6 * max(1.0, abs(answer.bound))
        ends.append(min(known, best) if answer.status == "optimal" else known)
    return Region(ends[0], -ends[2], ends[1])

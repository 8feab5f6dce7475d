"""Upper bounds on Z, a slice of work at a time, so that they run beside the search.

First the cheap bound of `bound`, then, where pairs are penalised, the one of
`class_prices`, proven by `price_certificate` after every slice.
"""

import math
import time
from dataclasses import dataclass, replace

import jax
import numpy as np
from jaxtyping import Int

from qpm_jax.assignment.native import bound as lagrangian
from qpm_jax.assignment.native import class_prices
from qpm_jax.assignment.native.price_certificate import certify
from qpm_jax.assignment.native.search import SearchArrays
from qpm_jax.assignment.problem import AssignmentProblem

_CHEAP_SLICE = 100
_PRICE_SLICE = 400
_FIRST_SLICE = 20
# Seconds that compiling the prices' steps and a first proof may take together: where
# less is left the search makes better use of it.
_COMPILATION = 15.0
# Shorter steps than this no longer move the bound.
_SHORTEST = 1e-3


@dataclass(frozen=True, eq=False)
class Priced:
    """The prices and what they are about.

    Attributes:
        table: float64, on the host.
        device: the same in float32.
        prices: where the steps stand.
        step_seconds: of one step in the last slice.
        proof_seconds: of the slowest proof.
    """

    table: class_prices.PriceTable
    device: class_prices.PriceTable
    prices: class_prices.Prices
    step_seconds: float = 0.0
    proof_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Bounding:
    """Where the work on the bound stands.

    Attributes:
        problem: the problem.
        arrays: the same on the device.
        multipliers: of the cheap bound.
        cheap_left: its steps still to do.
        price_left: steps of the prices still to do.
        priced: the prices, None before their first slice.
        bound: lowest proven so far.
    """

    problem: AssignmentProblem
    arrays: SearchArrays
    multipliers: lagrangian.Multipliers
    cheap_left: int
    price_left: int
    priced: Priced | None
    bound: float

    @property
    def done(self) -> bool:
        """Whether more work would not lower the bound."""
        return self.cheap_left <= 0 and self.price_left <= 0


def begin(
    problem: AssignmentProblem,
    arrays: SearchArrays,
    selected: Int[np.ndarray, " n"],
    cheap_steps: int,
    price_steps: int,
) -> Bounding:
    """The state before any work.

    Args:
        problem: the problem.
        arrays: the same on the device.
        selected: int [n], a good selection, near which the multipliers start.
        cheap_steps: steps of the cheap bound.
        price_steps: steps of the prices; none where no pair is penalised, or where the
            classes are so many that their tables would not fit.
    """
    useful = len(problem.weights) > 0 and class_prices.is_affordable(problem)
    return Bounding(
        problem=problem,
        arrays=arrays,
        multipliers=lagrangian.first_multipliers(problem, selected),
        cheap_left=cheap_steps,
        price_left=price_steps if useful and cheap_steps else 0,
        priced=None,
        bound=np.inf,
    )


def tighten(state: Bounding, target: float, deadline: float = np.inf) -> Bounding:
    """One slice of work.

    Args:
        state: where to go on.
        target: Z of the best solution known.
        deadline: `time.perf_counter()` that a slice should not pass; one that would
            is not begun, and the work counts as done.
    """
    if state.cheap_left > 0:
        return _cheap(state, target)
    if state.priced is None and time.perf_counter() + _COMPILATION > deadline:
        return replace(state, price_left=0)
    priced = state.priced or _first_prices(state)
    steps = _steps_that_fit(priced, state.price_left, deadline)
    if steps == 0:
        return replace(state, price_left=0)
    started = time.perf_counter()
    prices = _walk(state.problem, priced, target, steps)
    walked = time.perf_counter()
    proof = certify(priced.table, prices, state.problem.num_features, deadline)
    prices = class_prices.with_choices(prices, proof.choices)
    left = state.price_left - steps
    return replace(
        state,
        priced=replace(
            priced,
            prices=prices,
            step_seconds=(walked - started) / steps,
            proof_seconds=max(priced.proof_seconds, time.perf_counter() - walked),
        ),
        price_left=0 if float(prices.step) < _SHORTEST else left,
        bound=min(state.bound, proof.bound),
    )


def _steps_that_fit(priced: Priced, left: int, deadline: float) -> int:
    """A whole slice where the time allows it; the first one only takes the time."""
    if priced.step_seconds == 0.0:
        return min(_FIRST_SLICE, left)
    spare = deadline - time.perf_counter() - priced.proof_seconds
    fitting = math.inf if spare == math.inf else int(spare / priced.step_seconds)
    return 0 if fitting < _FIRST_SLICE else int(min(_PRICE_SLICE, left, fitting))


def _walk(
    problem: AssignmentProblem, priced: Priced, target: float, steps: int
) -> class_prices.Prices:
    return jax.block_until_ready(
        class_prices.improve(
            priced.device,
            priced.prices,
            np.float32(target),
            problem.num_features,
            np.int32(steps),
        )
    )


def _cheap(state: Bounding, target: float) -> Bounding:
    """Some subgradient steps, and the bound of the best multipliers in float64."""
    problem, steps = state.problem, min(_CHEAP_SLICE, state.cheap_left)
    pairs, weights = lagrangian.padded_pairs(problem)
    multipliers = lagrangian.improve(
        state.arrays,
        pairs,
        weights,
        state.multipliers,
        np.float32(target),
        problem.num_features,
        steps,
    )
    upper = lagrangian.lagrangian(
        problem,
        np.asarray(multipliers.best_classes),
        np.asarray(multipliers.best_pairs)[: len(problem.weights)],
    )
    return replace(
        state,
        multipliers=multipliers,
        cheap_left=state.cheap_left - steps,
        bound=min(state.bound, upper),
    )


def _first_prices(state: Bounding) -> Priced:
    thresholds = np.asarray(state.multipliers.best_classes, np.float64)
    table = class_prices.price_table(state.problem, thresholds)
    prices = class_prices.first_prices(table, thresholds)
    device = jax.block_until_ready(class_prices.on_device(table))
    priced = Priced(table, device, prices)
    _walk(state.problem, priced, 0.0, 0)  # compiles
    return priced

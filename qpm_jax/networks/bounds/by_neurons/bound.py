"""Bounds the objective from below, the weakest total of output weights first."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.bounds.by_neurons.ascent import climb, gains
from qpm_jax.networks.bounds.by_neurons.dual_program import (
    Hinges,
    Multipliers,
    Neurons,
    best_multipliers,
    hinges,
)
from qpm_jax.networks.bounds.by_neurons.output_choices import (
    OutputChoices,
    output_choices,
)
from qpm_jax.networks.bounds.by_neurons.proof import Proof, advance, begin
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.solvers.options import check_limits

_ROUNDS = 100
_ADDED = 40
# Of more neurons than this those go that gain least; the linear program stays small.
_MOST_NEURONS = 800
# A neuron breaks the multipliers if it gains this part of its price more.
_BROKEN = 1e-3
_MOST_TOTALS = 1000
# Of the time, the most for multipliers before anything is proven.
_MULTIPLIERS_SHARE = 0.4


@dataclass(frozen=True, eq=False)
class _Setting:
    """What does not change."""

    problem: NetworkProblem
    choices: OutputChoices
    rows: Hinges
    random: np.random.Generator
    deadline: float

    @property
    def left(self) -> float:
        return max(0.0, self.deadline - time.perf_counter())


def neuron_bound(
    problem: NetworkProblem,
    objective: float,
    time_limit: float = 60.0,
    gap: float = 0.01,
    seed: int = 0,
    hear: Callable[[float], object] | None = None,
) -> float:
    """What no network of the problem, of whatever width, can be below.

    Args:
        problem: the problem; rules are left out, which keeps the bound true.
        objective: of a network at hand: networks that are dearer need no bound.
        time_limit: seconds; less time gives a looser bound.
        gap: relative gap to `objective` at which to stop.
        seed: of the search for neurons.
        hear: called with every bound.

    Returns:
        A lower bound, at most `objective`; 0, or the price of a layer, for more than
        one hidden layer, and where neurons are free or of too many kinds
        (`output_choices`).

    Raises:
        ValueError: for an objective that is not finite, or a limit out of range.
    """
    check_limits(time_limit, gap, None)
    if not np.isfinite(objective):
        raise ValueError(
            f"objective is {objective}; give that of a network, `problem.objective`."
        )
    best = least = float(problem.layer_price)
    choices = output_choices(problem) if len(problem.hidden) == 1 else None
    if choices is None or objective <= least:
        return least
    setting = _Setting(
        problem,
        choices,
        hinges(problem),
        np.random.default_rng(seed),
        time.perf_counter() + time_limit,
    )
    for bound in _bounds(setting, objective - least, gap):
        best = least + bound
        if hear is not None:
            hear(best)
    return best


def _bounds(setting: _Setting, objective: float, gap: float) -> Iterator[float]:
    """Ever tighter bounds: multipliers for the weakest totals first, then proofs."""
    totals, bounds = _totals(setting.choices, objective)
    # larger totals cost more than the last
    objective = min(objective, float(bounds[-1]))
    enough = (1 - gap) * objective
    proofs, neurons = _proofs(setting, totals, bounds, enough)
    for proof in proofs:
        bounds = np.maximum(bounds, proof.certificate.bounds(setting.choices, totals))
    yield float(min(objective, bounds.min()))
    while proofs and setting.left and bounds.min() < enough:
        place = int(bounds.argmin())
        which = int(np.argmax([each.promise(totals)[place] for each in proofs]))
        proof, further, broken = advance(
            proofs[which], float(totals[place]), setting.deadline
        )
        bounds = np.maximum(bounds, proof.certificate.bounds(setting.choices, totals))
        yield float(min(objective, bounds.min()))
        if len(broken.choice):
            again, neurons = _proof(setting, neurons + broken, proof.total, proof.reach)
            proof = proof if again is None else again
        elif not further:
            return
        proofs = [*proofs[:which], proof, *proofs[which + 1 :]]


def _proofs(
    setting: _Setting,
    totals: Float[np.ndarray, " T"],
    bounds: Float[np.ndarray, " T"],
    enough: float,
) -> tuple[list[Proof], Neurons]:
    """Multipliers for all totals together, then for the total these promise least.

    For a total the multipliers for output weights of any size come first, as they are
    good for other totals, too; then those for output weights that it can hold.
    """
    proofs: list[Proof] = []
    neurons, promised, made = _empty(setting), bounds, set()
    ends = setting.left * (1 - _MULTIPLIERS_SHARE)
    wanted = (np.inf, np.inf)
    while wanted not in made:
        proof, neurons = _proof(setting, neurons, *wanted)
        if proof is None:
            break
        made.add(wanted)
        proofs.append(proof)
        promised = np.maximum(promised, proof.promise(totals))
        if setting.left < ends or promised.min() >= enough:
            break
        total = float(totals[promised.argmin()])
        wanted = (total, total) if (total, np.inf) in made else (total, np.inf)
    return proofs, neurons


def _proof(
    setting: _Setting, neurons: Neurons, total: float, reach: float
) -> tuple[Proof | None, Neurons]:
    """A proof to begin with; None without time."""
    problem, choices = setting.problem, setting.choices
    multipliers, neurons = _multipliers(setting, neurons, total, reach)
    if multipliers is None:
        return None, neurons
    near = climb(problem, choices, multipliers, neurons, setting.random)
    return begin(problem, choices, total, reach, multipliers, near), neurons


def _totals(
    choices: OutputChoices, objective: float
) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """The totals of networks below the objective, and what they cost at least."""
    cheapest = float((choices.prices / choices.sizes).min())
    number = int(np.ceil(objective / (cheapest * choices.step)))
    totals = choices.step * np.arange(min(number, _MOST_TOTALS) + 1)
    return totals, cheapest * totals


def _empty(setting: _Setting) -> Neurons:
    """Neurons that get nothing, which keep π below what output weights cost."""
    number = len(setting.choices.prices)
    features = setting.problem.features.shape[1]
    return Neurons(np.zeros((number, features)), np.zeros(number), np.arange(number))


def _multipliers(
    setting: _Setting, neurons: Neurons, total: float, reach: float
) -> tuple[Multipliers | None, Neurons]:
    """The best multipliers, and the neurons at hand with those added that broke some.

    None where there was no time for any.
    """
    problem, choices = setting.problem, setting.choices
    small = choices.sizes <= reach + 1e-9
    best = None
    for _ in range(_ROUNDS):
        kept = neurons[small[neurons.choice]]
        found = best_multipliers(
            problem, choices, setting.rows, kept, total, setting.left
        )
        if found is None:
            break
        best = found
        reached = climb(problem, choices, best, kept, setting.random)
        ratios = gains(problem, choices, best, reached) / choices.prices
        worst = np.argsort(-np.where(small, ratios, 0.0))[:_ADDED]
        worst = worst[small[worst] & (ratios[worst] > _BROKEN)]
        if not len(worst):
            break
        neurons = _thinned(setting, neurons + reached[worst], best)
    return best, neurons


def _thinned(setting: _Setting, neurons: Neurons, multipliers: Multipliers) -> Neurons:
    """Half of the neurons where they are too many; the empty ones come first."""
    empty = len(setting.choices.prices)
    if len(neurons.choice) <= empty + _MOST_NEURONS:
        return neurons
    gained = gains(setting.problem, setting.choices, multipliers, neurons)
    gained[:empty] = np.inf
    return neurons[np.sort(np.argsort(-gained)[: empty + _MOST_NEURONS // 2])]

"""Proves by how much neurons break multipliers at most, the worst choice first."""

import dataclasses
import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from qpm_jax.networks.bounds.by_neurons.ascent import gains
from qpm_jax.networks.bounds.by_neurons.certificate import Certificate
from qpm_jax.networks.bounds.by_neurons.dual_program import Multipliers, Neurons
from qpm_jax.networks.bounds.by_neurons.output_choices import OutputChoices
from qpm_jax.networks.bounds.by_neurons.pricing import (
    Gain,
    largest_gain,
    relaxed_gain,
)
from qpm_jax.networks.bounds.by_neurons.pricing_program import Pricing
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.rows import Rows

# By how much neurons may gain more than their output weights cost, step by step: wide
# proofs are fast, and all choices need one.
TARGETS = (0.5, 0.1, 0.03, 0.01)
# Of the time left, the most for a single proof.
_SHARE = 0.25
_LESS = 0.999
_NONE = np.zeros(0, np.int64)
_FEW_ROUNDS, _MANY_ROUNDS = 2, 20


@dataclass(frozen=True, eq=False)
class Proof:
    """A certificate under way.

    Attributes:
        problem: the problem.
        choices: K choices of output weights.
        total: T that the multipliers are best for, inf for any.
        reach: output weights up to this size were in mind, inf for all.
        near: K neurons, the best known of every choice.
        certificate: what is proven.
        cuts: rows known for every choice.
    """

    problem: NetworkProblem
    choices: OutputChoices
    total: float
    reach: float
    near: Neurons
    certificate: Certificate
    cuts: tuple[tuple[Rows, ...], ...]

    @property
    def multipliers(self) -> Multipliers:
        """What the proof is about."""
        return self.certificate.multipliers

    def promise(self, totals: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
        """The bounds it can come to; 0 for totals that it was not made for."""
        beyond = self.choices.sizes[self.choices.sizes > self.reach + 1e-9]
        made_for = totals < beyond.min(initial=np.inf) - 1e-9
        return np.where(made_for, self.certificate.line(totals), 0.0)

    def asked(self, choice: int) -> Pricing:
        """The question of what neurons of a choice gain."""
        slopes = self.multipliers.slopes @ self.choices.weights[choice]
        return Pricing(self.problem, slopes, self.near.weights[choice])

    def ratio(self, choice: int, gain: float) -> float:
        """What a gain is beyond what is allowed, as a part of the price."""
        return (gain - self.allowed(choice, 0.0)) / float(self.choices.prices[choice])

    def allowed(self, choice: int, ratio: float) -> float:
        """The gain of a ratio."""
        choices, size_price = self.choices, self.multipliers.size_price
        price, size = choices.prices[choice], choices.sizes[choice]
        return float((1 + ratio) * price - size_price * size)

    def with_gain(self, choice: int, gain: Gain) -> "Proof":
        """The proof with what a choice gains, where that is less than was known."""
        ratios = self.certificate.ratios.copy()
        ratio = max(0.0, self.ratio(choice, gain.most))
        ratios[choice] = min(ratios[choice], ratio)
        cuts = tuple(
            gain.cuts if place == choice else each
            for place, each in enumerate(self.cuts)
        )
        certificate = dataclasses.replace(self.certificate, ratios=ratios)
        return dataclasses.replace(self, certificate=certificate, cuts=cuts)


def begin(
    problem: NetworkProblem,
    choices: OutputChoices,
    total: float,
    reach: float,
    multipliers: Multipliers,
    near: Neurons,
) -> Proof:
    """A proof that knows nothing yet."""
    number = len(choices.prices)
    certificate = Certificate(multipliers, np.full(number, np.inf))
    cuts = ((),) * number
    return Proof(problem, choices, total, reach, near, certificate, cuts)


def advance(proof: Proof, total: float, deadline: float) -> tuple[Proof, bool, Neurons]:
    """Takes the next step for networks whose output weights total so much.

    Args:
        proof: so far.
        total: larger output weights than this do not count.
        deadline: on the clock of `time.perf_counter`.

    Returns:
        The proof, whether it got further, and neurons that break the multipliers, if
        one was found.
    """
    none, ratios = proof.near[_NONE], proof.certificate.ratios
    counts = proof.choices.sizes <= total + 1e-9
    new = counts & np.isinf(ratios)
    if new.any():
        return *_relaxed(proof, new, deadline), none
    worst = int(np.where(counts, ratios, -1.0).argmax())
    lower = [each for each in TARGETS if each < _LESS * ratios[worst]]
    if not counts.any() or not lower:
        return proof, False, none
    time_limit = _SHARE * max(0.0, deadline - time.perf_counter())
    least = proof.allowed(worst, lower[0])
    gain = _proven(proof.asked(worst), least, time_limit, proof.cuts[worst])
    further = proof.with_gain(worst, gain)
    progress = further.certificate.ratios[worst] < _LESS * ratios[worst]
    return further, progress, _breaking(proof, worst, gain)


def _relaxed(
    proof: Proof, which: Bool[np.ndarray, " K"], deadline: float
) -> tuple[Proof, bool]:
    """A linear program and few cuts for every choice that nothing is known of."""
    for each in np.flatnonzero(which):
        left = max(0.0, deadline - time.perf_counter())
        least = proof.allowed(int(each), TARGETS[-1])
        gain = relaxed_gain(proof.asked(int(each)), least, _FEW_ROUNDS, left)
        if np.isinf(gain.most):
            return proof, False
        proof = proof.with_gain(int(each), gain)
    return proof, True


def _proven(
    pricing: Pricing, least: float, time_limit: float, cuts: tuple[Rows, ...]
) -> Gain:
    """By a linear program and cuts if they will do; else with binaries."""
    ends = time.perf_counter() + time_limit
    gain = relaxed_gain(pricing, least, _MANY_ROUNDS, time_limit, cuts)
    if gain.most <= least:
        return gain
    left = max(0.0, ends - time.perf_counter())
    found = largest_gain(pricing, least, left, gain.cuts)
    return dataclasses.replace(found, most=min(found.most, gain.most))


def _breaking(proof: Proof, choice: int, gain: Gain) -> Neurons:
    """The neuron, if it gains more than it costs where squares are exact, too."""
    neuron = gain.neuron(choice)
    if neuron is None:
        return proof.near[_NONE]
    gained = gains(proof.problem, proof.choices, proof.multipliers, neuron)
    least = TARGETS[-1] * proof.choices.prices[choice]
    return neuron[np.flatnonzero(gained > least)]

"""Chooses width and prices of a network on the training part alone."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.experiments.measurements import split
from qpm_jax.networks.labels import scores
from qpm_jax.networks.network import ReLUNetwork, outputs
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.starts.gradient_start import gradient_starts
from qpm_jax.networks.weight_family import weight_family

_RESTARTS = 8
_EPOCHS = 600


@dataclass(frozen=True)
class Candidate:
    """What is chosen.

    Attributes:
        width: of the hidden layer.
        l1: λ₁.
        l2: λ₂.
    """

    width: int
    l1: float
    l2: float


def make_problem(
    features: Float[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    candidate: Candidate,
    label_encoding: str,
    deep_weights: str,
) -> NetworkProblem:
    """The problem of a candidate.

    Args:
        features: float64 [N, F], standardised.
        labels: int64 [N].
        candidate: width and prices.
        label_encoding: see `NetworkProblem`.
        deep_weights: see `weight_family`.
    """
    return NetworkProblem(
        features,
        labels,
        int(labels.max()) + 1,
        (candidate.width,),
        weight_family(deep_weights),
        label_encoding,
        l1=candidate.l1,
        l2=candidate.l2,
    )


def accuracy(
    problem: NetworkProblem,
    network: ReLUNetwork,
    features: Float[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
) -> float:
    """The share of right answers.

    Args:
        problem: of the network.
        network: the network.
        features: float64 [N, F].
        labels: int64 [N].
    """
    found = scores(outputs(network, features), problem.codes).argmax(axis=1)
    return float((found == labels).mean())


def choose(
    features: Float[np.ndarray, "N F"],
    labels: Int[np.ndarray, " N"],
    settings: dict[str, Any],
    label_encoding: str,
    deep_weights: str,
    seed: int,
) -> tuple[Candidate, float]:
    """The dearest candidate that does well on held-out parts of the training part.

    Splits of one size, so that training compiles once for each width. Every candidate
    is trained by gradient descent alone: a search would make the choice depend on the
    machine's speed. Means of so few instances differ by chance, so of all within one
    standard error of the best (Breiman's rule) the one of the largest l2 price is
    taken, of these the one of the largest l1 price, and of these the best, for pruning
    is the program's work. (Settled on splits of other seeds.)

    Args:
        features: float64 [N, F] of the training part.
        labels: int64 [N].
        settings: `choice` of `settings.default`.
        label_encoding: see `NetworkProblem`.
        deep_weights: see `weight_family`.
        seed: of the inner splits, and of training.

    Returns:
        The candidate, and its mean accuracy on the held-out parts.
    """
    candidates = [
        Candidate(*each)
        for each in itertools.product(
            settings["widths"], settings["l1"], settings["l2"]
        )
    ]
    right = np.zeros((len(candidates), settings["splits"]))
    for number in range(settings["splits"]):
        part = split(features, labels, settings["test_share"], 1000 * seed + number)
        for place, candidate in enumerate(candidates):
            problem = make_problem(
                part.features, part.labels, candidate, label_encoding, deep_weights
            )
            network = gradient_starts(problem, seed, _RESTARTS, _EPOCHS)[0]
            right[place, number] = accuracy(
                problem, network, part.test_features, part.test_labels
            )
    place = dearest_of_the_best(candidates, right)
    return candidates[place], float(right[place].mean())


def dearest_of_the_best(
    candidates: Sequence[Candidate], right: Float[np.ndarray, "K S"]
) -> int:
    """The place of the dearest candidate within one standard error of the best.

    Args:
        candidates: K candidates.
        right: float64 [K, S], accuracies on S held-out parts.
    """
    means = right.mean(axis=1)
    best = means.argmax()
    error = right[best].std() / np.sqrt(right.shape[1])
    near = means >= means[best] - error - 1e-9

    def order(place: int) -> tuple[float, float, float, int]:
        candidate = candidates[place]
        mean = round(float(means[place]), 6)
        return -candidate.l2, -candidate.l1, -mean, candidate.width

    return min(np.flatnonzero(near).tolist(), key=order)

"""Chooses width and prices of a network on the training part alone."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.experiments.measurements import split
from qpm_jax.networks.labels import scores
from qpm_jax.networks.local_search.neighbourhood_search import search
from qpm_jax.networks.network import ReLUNetwork, outputs, sparsity
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
    """The candidate that does well on held-out parts of the training part.

    Splits of one size, so that training compiles once for each width. Every candidate
    is a gradient start and a short search. Means of so few instances differ by chance:
    of all within one standard error of the best, those of the largest l2 price are
    taken, of these the best, then the sparsest. (Settled on splits of other seeds.)

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
    found = np.zeros((len(candidates), settings["splits"], 2))
    for number in range(settings["splits"]):
        part = split(features, labels, settings["test_share"], 1000 * seed + number)
        for place, candidate in enumerate(candidates):
            problem = make_problem(
                part.features, part.labels, candidate, label_encoding, deep_weights
            )
            start = gradient_starts(problem, seed, _RESTARTS, _EPOCHS)[0]
            network = search(problem, start, settings["seconds"], seed)
            right = accuracy(problem, network, part.test_features, part.test_labels)
            found[place, number] = right, sparsity(network)
    right, sparse = found.mean(axis=1).T
    first = right.argmax()
    spread = found[first, :, 0].std() / np.sqrt(settings["splits"])
    behind = right < right[first] - spread - 1e-9
    squares = np.array([each.l2 for each in candidates])
    best = np.lexsort([-sparse, -np.round(right, 6), -squares, behind])[0]
    return candidates[best], float(right[best])

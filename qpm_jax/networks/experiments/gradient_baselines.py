"""What gradient descent alone gives, and pruning at a given number of weights.

Asked for by the source as comparisons (docs/networks.md, Open points): magnitude
pruning, and lottery tickets (Frankle, Carbin, arXiv 1803.03635). All train the same
architecture and loss, with weights of any size up to the limit in every layer.
"""

import dataclasses

import numpy as np
from jaxtyping import Bool

from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.starts.gradient_training import train_networks
from qpm_jax.networks.weight_family import weight_family

RESTARTS = 16


def descended(problem: NetworkProblem, seed: int = 0) -> ReLUNetwork:
    """The best of some networks trained by gradient descent, by the objective.

    Args:
        problem: the problem; deeper weights may have any size up to 3.
        seed: of the random weights.
    """
    free = _free(problem)
    return min(train_networks(free, seed, RESTARTS), key=free.objective)


def magnitude_pruned(
    problem: NetworkProblem, weights: int, seed: int = 0, *, rewind: bool = False
) -> ReLUNetwork:
    """Trains, keeps the largest weights of each network, and trains these again.

    Args:
        problem: the problem; its l1 price is left out, as pruning takes its place.
        weights: how many weights may differ from zero.
        seed: of the random weights.
        rewind: whether the second training starts from the first one's random weights
            (a lottery ticket) or goes on from the trained ones.

    Returns:
        The best of some networks, by the loss.

    Raises:
        ValueError: when there are not so many weights.
    """
    free = dataclasses.replace(_free(problem), l1=0.0)
    total = sum(out * into for out, into in _shapes(problem))
    if not 0 <= weights <= total:
        raise ValueError(f"weights is {weights}; it must be 0 … {total}.")
    trained = train_networks(free, seed, RESTARTS)
    masks = [_largest(network, weights) for network in trained]
    stacked = [np.stack(each) for each in zip(*masks, strict=True)]
    start = None if rewind else trained
    again = train_networks(free, seed, RESTARTS, masks=stacked, start=start)
    return min(again, key=free.objective)


def _free(problem: NetworkProblem) -> NetworkProblem:
    """The same problem with weights of any size in every layer."""
    limit = problem.weight_limit
    return dataclasses.replace(problem, family=weight_family("bilinear", limit=limit))


def _shapes(problem: NetworkProblem) -> list[tuple[int, int]]:
    return list(zip(problem.widths[1:], problem.widths[:-1], strict=True))


def _largest(network: ReLUNetwork, count: int) -> list[Bool[np.ndarray, "n m"]]:
    sizes = np.concatenate([np.abs(each).reshape(-1) for each in network.weights])
    kept = np.zeros(len(sizes), bool)
    kept[np.argsort(-sizes, kind="stable")[:count]] = True
    ends = np.cumsum([each.size for each in network.weights])[:-1]
    parts = np.split(kept, ends)
    return [
        part.reshape(each.shape)
        for part, each in zip(parts, network.weights, strict=True)
    ]

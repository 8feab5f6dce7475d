"""Convolutional networks to start from: trained, repaired, pruned."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from qpm_jax.networks.conv_network import ConvNetwork, pooled
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.starts.conv_repair import conv_repaired

# Share of the features' mean variance that a ridge regression adds, ours.
_RIDGE = 0.3


class ConvStart(NamedTuple):
    """A network to start from, and where it came from.

    Attributes:
        network: repaired: in the family, its channels in order.
        trained: as training left it, channels in the order of its random weights.
        seed: with which `train_conv` draws these random weights again.
    """

    network: ConvNetwork
    trained: ConvNetwork
    seed: int


def conv_zero(problem: ConvProblem) -> ConvNetwork:
    """No weights at all; rules may ask for some (`conv_repaired`).

    Args:
        problem: the problem.
    """
    outputs, inputs = problem.codes.shape[1], int(np.prod(problem.pooled_shape))
    return problem.network(
        np.zeros((problem.channels, problem.patch_size)),
        np.zeros(problem.channels),
        np.zeros((outputs, inputs)),
        np.zeros(outputs),
    )


def conv_starts(
    problem: ConvProblem,
    seed: int = 0,
    restarts: int = 8,
    dropout: float = 0.0,
    time_limit: float = np.inf,
    finished: Callable[[ConvNetwork], object] | None = None,
) -> list[ConvStart]:
    """Trains from several random weights, rounds and repairs.

    Args:
        problem: the problem.
        seed: of the random weights.
        restarts: how many.
        dropout: of training, see `train_conv`.
        time_limit: seconds after which none but the first is begun.
        finished: called with every repaired network as soon as it is trained, so that
            Ctrl-C loses none.

    Returns:
        Starts, those first whose filters say most of images left out
        (`left_out_accuracy`). The objective does not tell how well filters generalise:
        the readout fits 1,000 images with almost any.
    """
    from qpm_jax.networks.starts.conv_training import train_conv

    deadline = time.perf_counter() + time_limit
    starts: list[ConvStart] = []
    for number in range(restarts):
        if starts and time.perf_counter() > deadline:
            break
        own = seed + 1000 * number
        trained = train_conv(problem, own, dropout=dropout)
        starts.append(ConvStart(conv_repaired(problem, trained), trained, own))
        if finished is not None:
            finished(starts[-1].network)
    told = [left_out_accuracy(problem, each.network) for each in starts]
    return [starts[place] for place in np.argsort(-np.array(told), kind="stable")]


def conv_pruned(
    problem: ConvProblem,
    start: ConvStart,
    weights: int,
    seed: int = 0,
    *,
    rewind: bool = False,
    dropout: float = 0.0,
) -> ConvNetwork:
    """Keeps the largest readout weights of a trained network, and trains again.

    Args:
        problem: the problem.
        start: the trained network.
        weights: how many readout weights may differ from zero.
        seed: of the batches, where training goes on.
        rewind: whether the second training starts from the first one's random weights,
            with its batches (a lottery ticket: Frankle, Carbin, arXiv 1803.03635), or
            goes on from the trained ones (magnitude pruning).
        dropout: of training.

    Returns:
        A network of the family.

    Raises:
        ValueError: when there are not so many weights.
    """
    from qpm_jax.networks.starts.conv_training import train_conv

    # Repair changes the order of channels, which random weights do not follow.
    network = start.trained if rewind else start.network
    again = train_conv(
        problem,
        start.seed if rewind else seed,
        dropout=dropout,
        mask=_largest(network.readout, weights),
        start=None if rewind else network,
    )
    return conv_repaired(problem, again)


def _largest(
    readout: Float[np.ndarray, "O h w C"], count: int
) -> Bool[np.ndarray, "O h w C"]:
    if not 0 <= count <= readout.size:
        raise ValueError(f"weights is {count}; it must be 0 … {readout.size}.")
    kept = np.zeros(readout.size, bool)
    falling = np.argsort(-np.abs(readout), axis=None, kind="stable")
    kept[falling[:count]] = True
    return kept.reshape(readout.shape)


def left_out_accuracy(problem: ConvProblem, network: ConvNetwork) -> float:
    """Of a ridge regression on the pooled map, how often an image left out is right.

    In closed form for all images at once; ours. On MNIST it tells good filters from bad
    far better than the objective does.

    Args:
        problem: the problem.
        network: whose filters are judged; its readout plays no part.
    """
    inputs = pooled(network, problem.images).reshape(len(problem.labels), -1)
    inputs = inputs - inputs.mean(axis=0)
    wanted = 2.0 * np.eye(problem.num_classes)[problem.labels]
    errors = _left_out_errors(inputs, wanted - wanted.mean(axis=0))
    found = (wanted - errors).argmax(axis=1)
    return float((found == problem.labels).mean())


def _left_out_errors(
    inputs: Float[np.ndarray, "N P"], wanted: Float[np.ndarray, "N C"]
) -> Float[np.ndarray, "N C"]:
    gram = inputs.T @ inputs
    ridge = _RIDGE * max(np.trace(gram) / len(gram), 1e-12)
    solved = np.linalg.solve(gram + ridge * np.eye(len(gram)), inputs.T)
    own = (inputs * solved.T).sum(axis=1) + 1.0 / len(inputs)
    return (wanted - inputs @ (solved @ wanted)) / (1.0 - own)[:, None]

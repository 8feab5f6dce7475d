"""Convolutional networks to start from: trained, rounded, repaired, pruned."""

import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.conv_network import ConvNetwork, conv_simplified, pooled
from qpm_jax.networks.conv_problem import ConvProblem

# Share of the features' mean variance that a ridge regression adds, ours.
_RIDGE = 0.3


def conv_repaired(problem: ConvProblem, network: ConvNetwork) -> ConvNetwork:
    """The nearest network within the limits and the family, channels in order.

    Args:
        problem: the problem.
        network: of its shapes.
    """
    limit = problem.weight_limit
    near = problem.network(
        np.clip(network.filters, -limit, limit),
        np.clip(network.filter_biases, -limit, limit),
        problem.family.rounded(network.readout),
        np.clip(network.readout_biases, -limit, limit),
    )
    return conv_simplified(near)


def conv_zero(problem: ConvProblem) -> ConvNetwork:
    """No weights at all.

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
) -> list[ConvNetwork]:
    """Trains from several random weights, rounds and repairs.

    Args:
        problem: the problem.
        seed: of the random weights.
        restarts: how many.
        dropout: of training, see `train_conv`.
        time_limit: seconds after which none but the first is begun.
        finished: called with every network as soon as it is trained, so that Ctrl-C
            loses none.

    Returns:
        Networks of the family, those first whose filters say most of images left out
        (`left_out_accuracy`). The objective does not tell how well filters generalise:
        the readout fits 1,000 images with almost any.
    """
    from qpm_jax.networks.starts.conv_training import train_conv

    deadline = time.perf_counter() + time_limit
    networks: list[ConvNetwork] = []
    for number in range(restarts):
        if networks and time.perf_counter() > deadline:
            break
        trained = train_conv(problem, seed + 1000 * number, dropout=dropout)
        networks.append(conv_repaired(problem, trained))
        if finished is not None:
            finished(networks[-1])
    told = [left_out_accuracy(problem, each) for each in networks]
    return [networks[place] for place in np.argsort(-np.array(told), kind="stable")]


def conv_pruned(
    problem: ConvProblem, network: ConvNetwork, weights: int, seed: int = 0
) -> ConvNetwork:
    """Magnitude pruning: keeps the largest readout weights and trains these again.

    Args:
        problem: the problem.
        network: a trained one.
        weights: how many readout weights may differ from zero.
        seed: of the batches.

    Returns:
        A network of the family.

    Raises:
        ValueError: when there are not so many weights.
    """
    from qpm_jax.networks.starts.conv_training import train_conv

    if not 0 <= weights <= network.readout.size:
        raise ValueError(
            f"weights is {weights}; it must be 0 … {network.readout.size}."
        )
    falling = np.argsort(-np.abs(network.readout), axis=None, kind="stable")
    kept = np.zeros(network.readout.size, bool)
    kept[falling[:weights]] = True
    mask = kept.reshape(network.readout.shape)
    again = train_conv(problem, seed, mask=mask, start=network)
    return conv_repaired(problem, again)


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

"""Descents of `conv_search` from many networks: given ones, then the best one shaken.

On a small problem a descent ends within a second in a network from which no single step
leads to a better one (iterated local search: Lourenço, Martin, Stützle, 2003).
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import follows_rules, readout_box
from qpm_jax.networks.local_search.conv_search import conv_search
from qpm_jax.networks.starts.conv_repair import conv_repaired

# How far a network is shaken is drawn anew every time, evenly in its logarithm: from
# steps to a neighbour to networks that keep nothing of it.
_LEAST_SHAKE, _LARGEST_SHAKE = 0.05, 2.0
_DESCENTS_A_WEIGHT = 5


def perturbed_search(
    problem: ConvProblem,
    networks: Sequence[ConvNetwork],
    time_limit: float,
    seed: int = 0,
    improved: Callable[[ConvNetwork, float], object] | None = None,
    patience: int | None = None,
) -> ConvNetwork:
    """Improves the best of some networks until descents help no more.

    Args:
        problem: the problem.
        networks: to begin from, in the problem's family, following its rules.
        time_limit: seconds.
        seed: of the descents and of what is shaken.
        improved: called with every better network and its objective.
        patience: descents in a row without a better network after which to stop; None
            for five a weight, biases aside.

    Returns:
        A network no worse than any of those given.

    Raises:
        ValueError: when there is no network to begin from.
        KeyboardInterrupt: on Ctrl-C; what was found until then has been told.
    """
    if not networks:
        raise ValueError("networks is empty; the search needs one to begin from.")
    deadline = time.perf_counter() + time_limit
    if patience is None:
        weights = networks[0].filters.size + networks[0].readout.size
        patience = _DESCENTS_A_WEIGHT * weights
    random = np.random.default_rng(seed)
    waiting = sorted(networks, key=problem.objective, reverse=True)
    best = waiting[-1]
    objective = problem.objective(best)

    def keep(found: ConvNetwork, reached: float) -> None:
        nonlocal best, objective
        if reached < objective:
            best, objective = found, reached
            if improved is not None:
                improved(found, reached)

    idle = 0
    while (waiting or idle < patience) and time.perf_counter() < deadline:
        before = objective
        here = waiting.pop() if waiting else shaken(problem, best, random)
        left = deadline - time.perf_counter()
        if follows_rules(problem, here):
            keep(here, problem.objective(here))
            conv_search(problem, here, left, int(random.integers(2**31)), keep)
        idle = 0 if objective < before else idle + 1
    return best


def shaken(
    problem: ConvProblem, network: ConvNetwork, random: np.random.Generator
) -> ConvNetwork:
    """A network near another: noise on the filters, some readout weights drawn anew.

    Args:
        problem: the problem.
        network: in its family.
        random: of the noise and of its size, a share of the largest weight.

    Returns:
        A network of the family, repaired.
    """
    size = np.exp(random.uniform(np.log(_LEAST_SHAKE), np.log(_LARGEST_SHAKE)))
    noise = size * problem.weight_limit

    def moved(weights: np.ndarray) -> np.ndarray:
        return weights + noise * random.standard_normal(weights.shape)

    readout = network.readout.reshape(len(network.readout), -1)
    drawn = random.random(readout.shape) < size
    lower, upper = readout_box(problem)
    anew = random.uniform(lower, upper, readout.shape)
    return conv_repaired(
        problem,
        problem.network(
            moved(network.filters.reshape(problem.channels, -1)),
            moved(network.filter_biases),
            np.where(drawn, anew, readout),
            network.readout_biases,
        ),
    )

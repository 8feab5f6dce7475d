"""Search that holds most of a convolutional network and lets a solver improve the rest.

In turn an output's readout weights (`readout_program`, exact) and all filters
(`filter_step`, within a radius that adapts). Every answer is judged by exact forward
evaluation, and only a better one is kept.
"""

import time
from collections.abc import Callable

import numpy as np

from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import follows_rules
from qpm_jax.networks.local_search.filter_step import filter_program, with_filters
from qpm_jax.networks.local_search.readout_program import readout_program, with_readout
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.solvers import MixedIntegerProgram

# The least improvement that counts, relative to the objective.
_LEAST = 1e-6
_RADIUS = 0.1
_SMALLEST_RADIUS = 1e-3
# Weights that one program frees at most.
LARGEST_PART = 400


def conv_search(
    problem: ConvProblem,
    network: ConvNetwork,
    time_limit: float,
    seed: int = 0,
    improved: Callable[[ConvNetwork, float], object] | None = None,
    step_limit: float = 10.0,
) -> ConvNetwork:
    """Improves a network until nothing helps or the time is over.

    Args:
        problem: the problem.
        network: in the problem's family, following its rules.
        time_limit: seconds.
        seed: order of the outputs, and which weights are freed together.
        improved: called with every better network and its objective.
        step_limit: seconds for one solve.

    Returns:
        A network that is no worse.

    Raises:
        KeyboardInterrupt: on Ctrl-C; what was found until then has been told.
    """
    deadline = time.perf_counter() + time_limit
    random = np.random.default_rng(seed)
    best, objective = network, problem.objective(network)
    radius = _RADIUS * problem.weight_limit

    def limit() -> float:
        return min(step_limit, deadline - time.perf_counter())

    def keep(found: ConvNetwork) -> bool:
        nonlocal best, objective
        if not follows_rules(problem, found):
            return False
        reached = problem.objective(found)
        if reached >= objective - _LEAST * abs(objective):
            return False
        best, objective = found, reached
        if improved is not None:
            improved(best, objective)
        return True

    while limit() > 0:
        before = objective
        for output in [*random.permutation(len(network.readout_biases)), -1]:
            if limit() <= 0:
                return best
            if output >= 0:
                keep(_other_readout(problem, best, int(output), random, limit()))
            elif keep(_other_filters(problem, best, radius, limit())):
                radius *= 1.5
            else:
                radius /= 2
        stuck = objective >= before
        if stuck and radius < _SMALLEST_RADIUS * problem.weight_limit:
            break
    return best


def _other_readout(
    problem: ConvProblem,
    network: ConvNetwork,
    output: int,
    random: np.random.Generator,
    limit: float,
) -> ConvNetwork:
    """The best weights of one output, or of as many of them as are solved at once."""
    shape = (len(network.readout), int(np.prod(problem.pooled_shape)))
    free = np.zeros(shape, bool)
    number = min(shape[1], LARGEST_PART)
    free[output, random.permutation(shape[1])[:number]] = True
    part = readout_program(problem, network, free)
    values = _solved(part.program, part.start, limit)
    return with_readout(problem, network, part, values)


def _other_filters(
    problem: ConvProblem, network: ConvNetwork, radius: float, limit: float
) -> ConvNetwork:
    program, start = filter_program(problem, network, radius)
    return with_filters(problem, network, _solved(program, start, limit))


def _solved(
    program: MixedIntegerProgram, start: np.ndarray, limit: float
) -> np.ndarray:
    return inner_solve(program, limit, gap=1e-4, warm_start=start).values

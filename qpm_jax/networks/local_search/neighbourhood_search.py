"""Search that holds most of a network and lets a solver improve the rest.

A layer or a neuron is freed in turn (`neighbourhoods`), with the ReLU patterns nearest
to their kinks; how many adapts to what the solver can do in its share of the time.
Every answer is judged by exact forward evaluation, and only a better one is kept.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from qpm_jax.networks.bounds.intervals import interval_bounds
from qpm_jax.networks.local_search.neighbourhoods import hold, of_layer, of_neuron
from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.dense_program import DenseProgram, build_dense
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.program_values import read_network, standard_form
from qpm_jax.solvers.solution import FEASIBILITY_TOLERANCE, evaluate

# The least improvement that counts, relative to the objective.
_LEAST = 1e-6
# The first solve of a move holds all patterns: a linear program, or nearly.
_FIRST_SHARE = 0.0


@dataclass(frozen=True)
class _Move:
    """A layer that is freed, or one neuron of it with all that leaves it."""

    layer: int
    neuron: int | None = None


def search(
    problem: NetworkProblem,
    network: ReLUNetwork,
    time_limit: float,
    seed: int = 0,
    improved: Callable[[ReLUNetwork, float], object] | None = None,
    step_limit: float = 5.0,
) -> ReLUNetwork:
    """Improves a network until nothing helps or the time is over.

    Args:
        problem: the problem.
        network: in the problem's family, following its rules.
        time_limit: seconds.
        seed: order of the neurons.
        improved: called with every better network and its objective.
        step_limit: seconds for one solve.

    Returns:
        A network that is no worse, in standard form.

    Raises:
        KeyboardInterrupt: on Ctrl-C; what was found until then has been told.
    """
    deadline = time.perf_counter() + time_limit
    random = np.random.default_rng(seed)
    best = standard_form(problem, network)
    objective = problem.objective(best)
    dense = build_dense(
        problem, bounds=interval_bounds(problem, objective), ordered=False
    )
    shares: dict[_Move, float] = {}
    idle = 0
    while time.perf_counter() < deadline:
        before = objective
        for move in _moves(problem, random):
            left = deadline - time.perf_counter()
            if left <= 0:
                break
            share = shares.get(move, _FIRST_SHARE)
            limit = min(step_limit, left)
            found, share = _step(dense, best, move, share, limit, seed)
            shares[move] = share
            reached = problem.objective(found)
            if reached < objective - _LEAST * abs(objective):
                best, objective = found, reached
                if improved is not None:
                    improved(best, objective)
        stuck = objective >= before
        idle = idle + 1 if stuck else 0
        if stuck and idle > 1 and min(shares.values(), default=1.0) >= 1.0:
            break
    return best


def _moves(problem: NetworkProblem, random: np.random.Generator) -> Iterator[_Move]:
    """The readout and every layer, then neurons in a random order."""
    layers = len(problem.hidden)
    for layer in range(layers, -1, -1):
        yield _Move(layer)
    if problem.family.name == "bilinear":
        return  # in and out of a neuron would leave products of two variables
    for layer in range(layers):
        for neuron in random.permutation(problem.hidden[layer]):
            yield _Move(layer, int(neuron))


def _step(
    dense: DenseProgram,
    network: ReLUNetwork,
    move: _Move,
    share: float,
    limit: float,
    seed: int,
) -> tuple[ReLUNetwork, float]:
    """One solve: what it finds, and the share of patterns for the next time."""
    problem = dense.problem
    if move.neuron is None:
        free = of_layer(network, problem.features, move.layer, share)
    else:
        free = of_neuron(network, problem.features, move.layer, move.neuron, share)
    part, start = hold(dense, network, free)
    if evaluate(part.program, start)[1] > FEASIBILITY_TOLERANCE:
        return network, share
    answer = inner_solve(part.program, limit, gap=1e-4, seed=seed, warm_start=start)
    found = read_network(dense, part.expanded(answer.values))
    done = answer.status in ("optimal", "gap_reached")
    quick = done and answer.seconds < 0.3 * limit
    factor = 2.0 if quick else 1.0 if done else 0.6
    return standard_form(problem, found), float(np.clip(share * factor, 0.05, 1.0))

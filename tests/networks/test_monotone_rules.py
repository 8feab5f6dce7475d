"""The rule `Monotone` in networks of more than one hidden layer."""

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.networks import (
    Monotone,
    NetworkProblem,
    ReLUNetwork,
    build_dense,
    outputs,
    solve,
    weight_family,
)
from qpm_jax.networks.programs.program_values import read_network, write_network
from qpm_jax.solvers.solution import evaluate


def falling(hidden=(1, 1), **settings):
    """Data that ask for an output that falls, and a rule that it must not."""
    kept = {"rules": [Monotone(0, 0)], "l1": 0.01} | settings
    return NetworkProblem(
        [[-2.0], [-1.0], [1.0], [2.0]],
        [1, 1, 0, 0],
        2,
        hidden,
        weight_family("ternary"),
        "binary",
        **kept,
    )


def skipping(first, readout, layers=2):
    """One neuron a layer, of which all but the first hand on what they get."""
    zero = np.zeros((1, 1))
    return ReLUNetwork(
        (np.full((1, 1), first), *[zero] * (layers - 1), np.full((1, 1), readout)),
        tuple(np.zeros(1) for _ in range(layers + 1)),
        np.array([False] + [True] * (layers - 1)),
    )


def violation(problem, network):
    dense = build_dense(problem)
    return evaluate(dense.program, write_network(dense, network))[1]


@pytest.mark.parametrize("hidden", [(1, 1), (1, 1, 1)])
def test_the_optimum_of_skipped_layers_never_falls(hidden):
    problem = falling(hidden, layer_price=1.0)
    dense = build_dense(problem)
    found = solvers.solve(dense.program, threads=1, time_limit=20)
    network = read_network(dense, found.values)
    reached = outputs(network, problem.features)[:, 0]
    assert (np.diff(reached) >= -1e-6).all()
    assert violation(problem, skipping(-1.0, 1.0, len(hidden))) > 0.5


@pytest.mark.parametrize("hidden", [(1, 1), (1, 1, 1)])
@pytest.mark.parametrize("path", [(1.0, 1.0), (-1.0, -1.0), (-1.0, 0.0), (0.0, -1.0)])
def test_a_rule_is_kept_through_skipped_layers(hidden, path):
    problem = falling(hidden, layer_price=1.0)
    assert violation(problem, skipping(*path, len(hidden))) < 1e-9


def test_a_deep_answer_of_the_solver_that_follows_the_rule_is_kept():
    problem = falling(rules=[Monotone(0, 0, increasing=False)])
    direct = solvers.solve(build_dense(problem).program, threads=1)
    found = solve(problem, time_limit=600, threads=1, gap=0.0)
    assert found.network.weights[0].any()
    assert found.objective == pytest.approx(direct.objective, abs=1e-6)

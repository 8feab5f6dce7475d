"""Bounds of pre-activations where layers are skipped."""

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.networks import (
    NetworkProblem,
    ReLUNetwork,
    build_dense,
    interval_bounds,
    weight_family,
)
from qpm_jax.networks.network import preactivations
from qpm_jax.networks.programs.program_values import write_network
from qpm_jax.solvers.solution import evaluate


def narrow(hidden, features):
    """Small weights behind the first layer, so that each layer shrinks what it gets."""
    return NetworkProblem(
        features,
        [1, 1, 0, 0],
        2,
        hidden,
        weight_family("grid", 0.1, 2),
        "binary",
        l1=0.0,
        layer_price=1e-3,
        weight_limit=1.0,
    )


def handed_through(hidden, first, readout, bias):
    """A network of which all layers but the first hand on what they get."""
    skipped = [np.zeros((hidden[0], hidden[0])) for _ in hidden[1:]]
    biases = [np.ones(hidden[0]), *(np.zeros(width) for width in hidden[1:])]
    return ReLUNetwork(
        (first, *skipped, readout),
        (*biases, np.array([bias])),
        np.array([False, *(True for _ in hidden[1:])]),
    )


def one_neuron():
    problem = narrow((1, 1, 1), [[100.0], [10.0], [-10.0], [-100.0]])
    return problem, handed_through((1, 1, 1), np.ones((1, 1)), np.full((1, 1), 0.1), -1)


def two_neurons():
    problem = narrow((2, 2, 2), [[100.0, 0], [10.0, 10.0], [-10.0, 0], [0, -100.0]])
    return problem, handed_through((2, 2, 2), np.eye(2), np.full((1, 2), 0.1), -1)


@pytest.mark.parametrize("made", [one_neuron, two_neurons])
def test_bounds_hold_behind_two_skipped_layers(made):
    problem, network = made()
    bounds = interval_bounds(problem)
    last = preactivations(network, problem.features)[-1]
    assert (last <= bounds.upper[-1]).all()
    assert (last >= bounds.lower[-1]).all()
    dense = build_dense(problem)
    assert evaluate(dense.program, write_network(dense, network))[1] < 1e-9


def test_a_network_of_two_skipped_layers_is_not_cut_off():
    problem, network = one_neuron()
    found = solvers.solve(build_dense(problem).program, "highs", threads=1)
    assert found.bound <= problem.objective(network) + 1e-6

"""A run hears of the solver's networks and bounds while it solves the whole program."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.networks import ConvProblem, NetworkProblem, conv_solve, weight_family
from qpm_jax.networks.programs import whole_program
from qpm_jax.networks.starts.conv_starts import conv_zero
from qpm_jax.networks.starts.dense_starts import zero_network

# the package's attribute of that name is the function
dense_solve = importlib.import_module("qpm_jax.networks.solve")


@pytest.fixture
def during(monkeypatch):
    """What a run's history held when the solver of the whole program ended."""
    whole, runs, held = whole_program.solve_whole, [], []

    def noted(*args, **settings):
        found = solvers.solve(*args, **settings)
        held.append(runs[-1].history[:])
        return found

    def kept(run, *args):
        runs.append(run)
        return whole(run, *args)

    for module in (dense_solve, conv_solve):
        monkeypatch.setattr(module, "solve_whole", kept)
        monkeypatch.setattr(module, "_search", lambda *_: None)
    monkeypatch.setattr(whole_program, "solvers", SimpleNamespace(solve=noted))
    return held


def two_groups():
    random = np.random.default_rng(0)
    labels = np.arange(8) % 2
    data = random.normal(size=(8, 2)) + 4 * labels[:, None] - 2
    return NetworkProblem(data, labels, 2, (2,), weight_family("ternary"), l1=0.05)


def test_networks_of_the_solver_are_in_the_history_when_they_are_found(during):
    problem = two_groups()
    told = []
    found = dense_solve.solve(
        problem,
        time_limit=600,
        gap=0.5,
        threads=1,
        start=zero_network(problem),
        progress=lambda objective, *_: told.append(objective),
    )
    assert found.objective == problem.objective(found.network)
    objectives = [objective for _, objective, _ in during[0]]
    assert objectives[0] == problem.objective(zero_network(problem))
    assert objectives[-1] == pytest.approx(found.objective)
    assert objectives[-1] < objectives[0]
    assert told == [objective for _, objective, _ in found.history]


def test_those_of_convolutions_are_as_well(during):
    random = np.random.default_rng(0)
    labels = np.arange(4) % 2
    pixels = random.uniform(0, 0.2, (4, 2, 2)) + 0.7 * labels[:, None, None]
    problem = ConvProblem(
        pixels,
        labels,
        2,
        channels=1,
        family=weight_family("ternary"),
        l1=0.01,
    )
    start = conv_zero(problem)
    found = conv_solve.solve_conv(
        problem, time_limit=600, gap=0.5, threads=1, start=start
    )
    objectives = [objective for _, objective, _ in during[0]]
    assert objectives[0] == problem.objective(start)
    assert objectives[-1] == pytest.approx(found.objective)
    assert objectives[-1] < objectives[0]


@pytest.mark.parametrize(("instances", "heard"), [(8, []), (100, [0.05])])
def test_programs_that_are_not_small_are_bounded_neuron_by_neuron(
    monkeypatch, instances, heard
):
    told = []

    def bound(problem, objective, time_limit, gap, seed, hear):
        told.append(0.05)
        hear(0.05)

    monkeypatch.setattr(dense_solve, "neuron_bound", bound)
    monkeypatch.setattr(dense_solve, "path_bound", lambda *_: 0.0)
    monkeypatch.setattr(dense_solve, "_search", lambda *_: None)
    monkeypatch.setattr(dense_solve, "_whole", lambda *_: "time_limit")
    random = np.random.default_rng(0)
    labels = np.arange(instances) % 2
    data = random.normal(size=(instances, 2))
    problem = NetworkProblem(data, labels, 2, (2,), weight_family("ternary"), l1=0.05)
    found = dense_solve.solve(problem, time_limit=600, start=zero_network(problem))
    assert told == heard
    assert found.bound == sum(heard)

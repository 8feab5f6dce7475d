"""One linear program for many objectives: each as if solved alone."""

import dataclasses

import highspy
import numpy as np
import pytest
import scipy.sparse

from qpm_jax import solvers
from qpm_jax.solvers import highs, many_objectives, solve_objectives

INF = np.inf


def linear(seed=0, variables=6, rows=4, maximise=False):
    random = np.random.default_rng(seed)
    return solvers.MixedIntegerProgram(
        random.normal(size=variables),
        random.normal(size=(rows, variables)),
        np.full(rows, -1.0),
        np.full(rows, 2.0),
        np.full(variables, -3.0),
        np.full(variables, 5.0),
        np.zeros(variables, bool),
        maximise=maximise,
    )


def drawn(seed=1, number=7, variables=6):
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(number, variables))
    return matrix * (random.uniform(size=matrix.shape) < 0.5)


@pytest.mark.parametrize("threads", [1, 3, 9])
@pytest.mark.parametrize("maximise", [False, True])
def test_every_objective_has_the_value_it_has_alone(threads, maximise):
    program, objectives = linear(maximise=maximise), drawn()
    found = solve_objectives(program, objectives, 600, threads)
    for value, objective in zip(found, objectives, strict=True):
        alone = solvers.solve(dataclasses.replace(program, objective=objective))
        assert value == pytest.approx(alone.objective, abs=1e-6)
    sparse = scipy.sparse.csr_array(objectives)
    assert np.array_equal(solve_objectives(program, sparse, 600, threads), found)


def ray():
    """x ≥ 0 and y in 0 … 2, without rows."""
    return solvers.MixedIntegerProgram(
        [0, 0], np.zeros((0, 2)), [], [], [0, 0], [INF, 2], [False, False]
    )


def test_an_unbounded_objective_is_unknown_and_the_next_is_not():
    found = solve_objectives(ray(), [[-1, 0], [0, -1], [1, 1]])
    assert found.tolist() == [-INF, -2, 0]
    upwards = dataclasses.replace(ray(), maximise=True)
    assert solve_objectives(upwards, [[1, 0], [0, 1]]).tolist() == [INF, 2]


def test_of_an_infeasible_program_nothing_is_known():
    program = dataclasses.replace(
        ray(), rows=[[1.0, 1.0]], row_lower=[-2.0], row_upper=[-1.0]
    )
    assert solve_objectives(program, [[1, 0]]).tolist() == [-INF]


def test_what_there_is_no_time_for_is_unknown():
    found = solve_objectives(linear(), drawn(), time_limit=0)
    assert found.tolist() == [-INF] * 7


def test_a_solve_on_other_threads_before_disturbs_nothing():
    other = highspy.Highs()
    other.setOptionValue("output_flag", False)
    other.setOptionValue("threads", 2)
    highs.build(other, linear())
    other.run()
    try:
        assert np.isfinite(solve_objectives(linear(), drawn())).all()
    finally:
        other.resetGlobalScheduler(True)


def test_ctrl_c_ends_it(monkeypatch):
    worked = []

    def pressed(work, interrupt):
        interrupt()
        work()
        worked.append(True)
        return True

    monkeypatch.setattr(many_objectives, "run_interruptibly", pressed)
    many = scipy.sparse.csr_array((10**6, 6))
    with pytest.raises(KeyboardInterrupt):
        solve_objectives(linear(), many, 600)
    assert worked


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"objectives": np.ones((2, 5))}, "objectives has 5 columns for 6 variables"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"threads": 0}, "threads is 0"),
        (
            {"program": dataclasses.replace(linear(), integer=np.ones(6, bool))},
            "program has integers",
        ),
        (
            {"program": dataclasses.replace(linear(), quadratic=np.eye(6))},
            "more than linear rows",
        ),
    ],
)
def test_what_it_cannot_take_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        solve_objectives(**({"program": linear(), "objectives": drawn()} | settings))

"""Searches in processes of their own."""

import _thread
import itertools

import numpy as np
import pytest

from qpm_jax import assignment
from qpm_jax.assignment.native import restarts
from qpm_jax.assignment.native.restarts import solve_restarts

pytestmark = pytest.mark.slow


def problem_of(features, classes, number, size, seed=0):
    random = np.random.default_rng(seed)
    return assignment.AssignmentProblem(
        similarity=random.uniform(-1, 1, (features, classes)),
        pairs=np.array([[0, 1], [2, 3]]),
        weights=np.array([30.0, 10.0]),
        bias=None,
        num_features=number,
        per_class=size,
    )


def test_the_best_of_all_is_kept_and_one_proof_holds_for_all():
    problem = problem_of(9, 4, 4, 2)
    alone = assignment.solve(problem)
    news = []
    found = assignment.solve(
        problem, restarts=2, progress=lambda *state: news.append(state)
    )
    assert found.status == alone.status == "optimal"
    assert found.objective == pytest.approx(alone.objective, rel=1e-12)
    assert found.bound == pytest.approx(found.objective, rel=1e-7)
    assert news[-1][0] == pytest.approx(found.objective)


def test_ctrl_c_ends_all_and_keeps_the_best_so_far():
    problem = problem_of(200, 30, 20, 4)

    def press(*_):
        _thread.interrupt_main()

    found = solve_restarts(problem, 2, time_limit=600.0, progress=press, patience=10**6)
    assert found.status == "interrupted"
    assert len(found.selected) == 20
    assert found.bound >= found.objective > 0


def test_a_search_that_fails_does_not_take_the_others_with_it(monkeypatch, caplog):
    start, number = restarts.child, itertools.count()

    def one_fails(name, command, message):
        command = command if next(number) else ("-c", "raise SystemExit('no memory')")
        return start(name, command, message)

    monkeypatch.setattr(restarts, "child", one_fails)
    found = solve_restarts(problem_of(9, 4, 4, 2), 2)
    assert found.status == "optimal"
    assert "restart 0 failed: no memory. The other searches go on." in caplog.text
    number = itertools.count()
    with pytest.raises(RuntimeError, match="restart 0 failed: no memory"):
        solve_restarts(problem_of(9, 4, 4, 2), 1)


def test_no_searches_at_all_are_refused():
    with pytest.raises(ValueError, match="restarts is 0; it must be 1 or more"):
        assignment.solve(problem_of(9, 4, 4, 2), restarts=0)

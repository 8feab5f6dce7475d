"""The published iterative scheme, against what the published code returned."""

import itertools
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import assignment
from qpm_jax.assignment.exact_model import encode
from qpm_jax.assignment.published import scheme as published
from qpm_jax.assignment.published import steps as published_steps
from qpm_jax.assignment.published.model import Demands, build_relaxed, encode_relaxed
from qpm_jax.assignment.published.repair import equal_pairs, repair
from qpm_jax.assignment.published.scheme import solve_published
from qpm_jax.assignment.published.steps import first_state, next_state, solve_step
from qpm_jax.solvers import Solution
from qpm_jax.solvers import solve as solve_program
from qpm_jax.solvers.solution import evaluate


def small_problem(seed=0, **changes):
    random = np.random.default_rng(seed)
    likes = random.normal(size=(8, 2))[:, [0, 0, 1, 1]]
    pairs = np.array(list(itertools.combinations(range(8), 2)))[::3]
    fields = {
        "similarity": likes + 0.2 * random.normal(size=(8, 4)),
        "pairs": pairs,
        "weights": 20 * random.uniform(size=len(pairs)),
        "bias": random.normal(size=8),
        "num_features": 4,
        "per_class": 2,
    }
    return assignment.AssignmentProblem(**{**fields, **changes})


def without_repeats(objectives):
    """The published code solves the last model again; nothing comes of it."""
    kept = [True, *(np.abs(np.diff(objectives)) > 1e-5)]
    return np.asarray(objectives)[kept]


@pytest.mark.parametrize("all_features", [False, True])
def test_every_solve_has_the_objective_of_the_published_code(
    golden, all_features, golden_problem
):
    name = "refall" if all_features else "ref"
    cases = golden("qp_tiny")
    compared = 0
    for key in cases.cases:
        case = cases[key]
        if f"{name}_objective" not in case:
            continue
        result, trace = solve_published(
            golden_problem(case), threads=1, all_features=all_features
        )
        assert result.objective == pytest.approx(case[f"{name}_objective"], rel=1e-6)
        logged = case[f"{name}_log_objval_bound_nvars_nconstrs"][:, 0]
        np.testing.assert_allclose(
            without_repeats([step.objective for step in trace.steps]),
            without_repeats(logged),
            rtol=1e-6,
            err_msg=key,
        )
        compared += 1
    assert compared > 5


def test_with_all_features_the_scheme_reaches_every_optimum(golden, golden_problem):
    cases = golden("qp_tiny")
    for key in cases.cases:
        case = cases[key]
        result = assignment.solve(
            golden_problem(case), "published", threads=1, all_features=True
        )
        assert result.objective == pytest.approx(case["opt_objective"], rel=1e-6), key


def test_as_shipped_the_scheme_stays_below_the_optimum_it_cuts_off(
    golden, golden_problem
):
    case = golden("qp_tiny")["real_20x4_nf8_k3"]
    result = assignment.solve(golden_problem(case), "published", threads=1)
    assert result.objective == pytest.approx(474.2983985611719)
    assert result.bound >= case["opt_objective"] == pytest.approx(552.3703803149862)
    assert result.status == "stalled"


@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_the_scheme_is_feasible_below_the_optimum_and_its_bound_above(seed):
    problem = small_problem(seed)
    best = assignment.solve(problem).objective
    for all_features in (False, True):
        result = assignment.solve(
            problem, "published", threads=1, all_features=all_features
        )
        assert result.objective <= best + 1e-6 * abs(best)
        assert result.bound >= best - 1e-6 * abs(best)
        assert result.solver == "published"


def test_sizes_by_class_and_forced_features_are_kept():
    problem = small_problem(
        3, per_class=[1, 2, 2, 3], forced_in=(2,), forced_out=(0, 5)
    )
    result = assignment.solve(problem, "published", threads=1)
    assert result.assignment.sum(axis=1).tolist() == [1, 2, 2, 3]
    assert 2 in result.selected
    assert not {0, 5} & set(result.selected.tolist())


def test_scip_takes_the_same_steps():
    pytest.importorskip("pyscipopt")
    problem = small_problem(1)
    traces = [
        solve_published(problem, exact_solver=solver)[1] for solver in ("highs", "scip")
    ]
    first, second = ([step.objective for step in trace.steps] for trace in traces)
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_what_the_relaxation_loses_is_logged_and_returned(caplog):
    with caplog.at_level(logging.INFO, logger="qpm_jax"):
        result, trace = solve_published(small_problem(1), threads=1)
    assert trace.initial_objective == trace.steps[0].objective
    assert trace.final_objective == result.objective
    assert trace.lost_to_relaxation == trace.initial_objective - result.objective >= 0
    assert f"lost to relaxation {trace.lost_to_relaxation:.6g}" in caplog.text
    assert caplog.text.count("gap") == len(trace.steps)
    assert [step.budgets for step in trace.steps] == sorted(
        step.budgets for step in trace.steps
    )


def test_progress_hears_the_bound_and_at_last_the_objective():
    heard = []
    result = assignment.solve(
        small_problem(1), "published", progress=lambda *told: heard.append(told)
    )
    assert heard[-1] == (result.objective, result.bound, result.seconds)
    assert all(objective == -np.inf for objective, _, _ in heard[:-1])
    assert all(bound >= result.objective - 1e-6 for _, bound, _ in heard)


def test_no_time_gives_a_feasible_solution_without_steps():
    result, trace = solve_published(small_problem(0), time_limit=0)
    assert result.status == "time_limit"
    assert result.bound == np.inf
    assert trace.steps == ()
    assert trace.lost_to_relaxation == 0


def test_an_interrupt_returns_what_there_is(monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(published, "next_state", interrupt)
    result, trace = solve_published(small_problem(0), threads=1)
    assert result.status == "interrupted"
    assert len(trace.steps) == 1


def test_a_wide_gap_is_reported_as_reached():
    problem = small_problem(0)
    optimal = assignment.solve(problem).objective
    result = assignment.solve(problem, "published", gap=5.0)
    assert result.status in ("gap_reached", "optimal")
    assert result.objective <= optimal + 1e-6


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"ternary": True}, {}, "ternary=True is not part of"),
        ({"min_classes": 1}, {}, "min_classes=1 is not part of"),
        ({}, {"exact_solver": "cplex"}, "exact_solver is 'cplex'"),
    ],
)
def test_what_the_scheme_does_not_take_is_refused(changes, options, message):
    with pytest.raises(ValueError, match=message):
        assignment.solve(small_problem(0, **changes), "published", **options)


def demands(problem, **changes):
    features, classes = problem.similarity.shape
    fields = {"short": np.zeros(classes, bool), "counted": np.ones(features, bool)}
    return Demands(**{**fields, **changes})


def test_a_model_keeps_classes_apart_on_the_features_named_only():
    problem = small_problem(0)
    selected = np.arange(4)
    equal_on_two = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    for features, allowed in (((0, 1), True), ((0, 3), False)):
        wanted = demands(problem, apart={(0, 1): features})
        program = build_relaxed(problem, wanted)
        values = encode_relaxed(problem, wanted, selected, equal_on_two.astype(bool))
        assert (evaluate(program, values)[1] == 0) == allowed


def test_budgets_count_the_features_ever_selected_only():
    problem = small_problem(0)
    taken = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]], bool)
    values = encode(problem, np.arange(4), taken)
    for counted, allowed in ((np.arange(8) < 4, True), (np.arange(8) < 3, False)):
        wanted = demands(problem, short=np.arange(4) == 3, counted=counted)
        violation = evaluate(build_relaxed(problem, wanted), values)[1]
        assert (violation == 0) == allowed


def test_the_repair_swaps_where_it_costs_least():
    values = np.array([[5.0, 4, 3, 0], [5, 4.5, 1, 0], [5, 4, 0, 0]])
    taken = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]], bool)
    # Class 0 may not swap feature 1 for 2, which is the third row: the next best goes.
    repaired = repair(values, taken)
    assert equal_pairs(taken) == [(0, 1)]
    assert equal_pairs(repaired) == []
    assert repaired[0].tolist() == [False, True, True, False]
    assert (repaired[1:] == taken[1:]).all()


def test_a_pair_without_a_free_swap_stays_equal():
    taken = np.ones((2, 3), bool)
    assert (repair(np.ones((2, 3)), taken) == taken).all()


def no_solution(status):
    return Solution(np.full(0, np.nan), -np.inf, np.inf, np.inf, 0.0, "highs", status)


def test_where_no_solution_is_left_classes_may_differ_on_all_features():
    problem = small_problem(0)
    state = first_state(problem, False)
    wanted = demands(problem, apart={(0, 1): (0, 1)})
    state = published_steps.replace(state, demands=wanted)
    widened = next_state(problem, state, no_solution("infeasible"))
    assert widened.demands.apart == {(0, 1): tuple(range(8))}
    assert next_state(problem, state, no_solution("time_limit")) is state
    with pytest.raises(RuntimeError, match="finds no solution"):
        next_state(problem, widened, no_solution("infeasible"))


def test_more_equal_pairs_than_their_features_can_tell_apart_get_all_of_them():
    problem = small_problem(
        0,
        similarity=np.tile(np.arange(8.0)[:, None], (1, 6)),
        pairs=[],
        weights=[],
        bias=None,
    )
    result, trace = solve_published(problem, threads=1)
    assert result.status in ("stalled", "optimal")
    assert len(np.unique(result.assignment, axis=0)) == 6
    assert trace.steps[-1].apart == 15


def test_a_shared_out_assignment_is_solved_again_as_a_whole_one():
    problem = small_problem(0)
    state = first_state(problem, False)

    def share_out(program, **options):
        solution = solve_program(program, "highs", **options)
        if program.integer[8:40].all():
            return solution
        values = solution.values.copy()
        values[8:40] = 0.5
        return published_steps.replace(solution, values=values)

    solution = solve_step(problem, state, share_out, 10.0)
    assert set(np.unique(solution.values[8:40])) <= {0.0, 1.0}

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import assignment
from qpm_jax.assignment import exact
from qpm_jax.assignment.native import bound, enumeration, refine
from qpm_jax.assignment.native import search as device_search
from qpm_jax.assignment.native import solver as native


def random_problem(seed, features=9, classes=4, number=4, size=2, kinds=2, **changes):
    random = np.random.default_rng(seed)
    # Few kinds of classes, so that different classes like the same features.
    likes = random.normal(size=(features, kinds))
    similarity = likes[:, random.integers(0, kinds, classes)]
    similarity = similarity + 0.2 * random.normal(size=(features, classes))
    pairs = np.array(list(itertools.combinations(range(features), 2)))
    # So many or half of them: each number of pairs has programs of its own compiled.
    number_of_pairs = int(0.3 * len(pairs)) // random.integers(1, 3)
    pairs = pairs[np.sort(random.permutation(len(pairs))[:number_of_pairs])]
    fields = {
        "similarity": similarity / np.abs(similarity).max(),
        "pairs": pairs,
        "weights": 30 * random.uniform(size=len(pairs)),
        "bias": random.normal(size=features),
        "num_features": number,
        "per_class": size,
    }
    return assignment.AssignmentProblem(**{**fields, **changes})


def assert_feasible(problem, result):
    assert (np.diff(result.selected) > 0).all()
    assert len(result.selected) == problem.num_features
    assert (result.assignment.sum(axis=1) == problem.class_sizes).all()
    assert len(np.unique(result.assignment, axis=0)) == len(result.assignment)
    assert result.objective == pytest.approx(
        problem.objective(result.selected, result.assignment), rel=1e-12
    )
    assert result.bound >= result.objective


@pytest.fixture(scope="module")
def native_answers(golden, golden_problem):
    """What `native` makes of every published instance, by its name."""
    cases = golden("qp_tiny")
    return {
        name: assignment.solve(golden_problem(cases[name]), time_limit=30)
        for name in cases.cases
    }


def test_native_is_optimal_on_every_published_instance(
    golden, golden_problem, native_answers
):
    cases = golden("qp_tiny")
    for name, result in native_answers.items():
        case = cases[name]
        problem = golden_problem(case)
        assert result.objective == pytest.approx(case["opt_objective"], rel=1e-9), name
        assert_feasible(problem, result)


def test_the_published_optima_have_the_published_objective(golden, golden_problem):
    cases = golden("qp_tiny")
    for name in cases.cases:
        case = cases[name]
        value = golden_problem(case).objective(
            case["opt_selection"], case["opt_assignment"]
        )
        assert value == pytest.approx(case["opt_objective"], rel=1e-12), name


def test_where_the_optimum_stands_out_the_published_solution_is_found(
    golden, native_answers
):
    cases = golden("qp_tiny")
    compared = 0
    for name, result in native_answers.items():
        case = cases[name]
        second = max(
            case["second_best_feature_set_objective"],
            case["second_best_assignment_objective"],
        )
        if name.startswith("large") or second > case["opt_objective"] - 1e-6:
            continue
        assert result.selected.tolist() == case["opt_selection"].tolist()
        np.testing.assert_array_equal(result.assignment, case["opt_assignment"])
        compared += 1
    assert compared > 3


@pytest.mark.parametrize(
    ("solver", "every"), [("highs", 1), ("scip", 4), ("gurobi", 4)]
)
def test_exact_solvers_prove_the_published_optima(
    golden, solver, every, golden_problem
):
    cases = golden("qp_tiny")
    small = [name for name in cases.cases if not name.startswith("large")]
    for name in small[::every]:
        problem = golden_problem(cases[name])
        result = assignment.solve(problem, solver, threads=1)
        assert result.status == "optimal"
        assert result.objective == pytest.approx(cases[name]["opt_objective"], rel=1e-9)
        assert_feasible(problem, result)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_native_proves_the_optimum_of_small_problems(seed, optimum):
    problem = random_problem(seed)
    result = assignment.solve(problem)
    assert result.status == "optimal"
    assert result.gap <= 1e-7
    assert result.objective == pytest.approx(optimum(problem), rel=1e-9)
    assert_feasible(problem, result)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_search_finds_the_optimum_and_its_bound_holds(seed, optimum):
    problem = random_problem(seed)
    result = assignment.solve(problem, enumerate_small=False, bound_steps=100)
    best = optimum(problem)
    assert result.objective == pytest.approx(best, rel=1e-9)
    assert result.bound >= best * (1 - 1e-9)
    assert_feasible(problem, result)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_highs_separates_equal_classes_and_proves_the_optimum(seed, optimum):
    problem = random_problem(seed, features=7, classes=4)
    result = assignment.solve(problem, "highs", threads=1)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(optimum(problem), rel=1e-6)


@given(seed=st.integers(0, 10**6), data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_multiplier_gives_an_upper_bound(seed, data, optimum):
    problem = random_problem(seed, forced_in=(1,), forced_out=(2,))
    random = np.random.default_rng(seed)
    scale = data.draw(st.floats(-2, 2))
    classes = scale * np.abs(problem.values).max() * random.normal(size=4)
    pairs = problem.weights * random.uniform(-0.5, 1.5, len(problem.weights))
    assert bound.lagrangian(problem, classes, pairs) >= optimum(problem) - 1e-9


def test_pricing_the_pairs_tightens_the_bound():
    problem = random_problem(1, features=20, classes=8, number=8, size=3)
    result = assignment.solve(
        problem, enumerate_small=False, bound_steps=200, patience=2
    )
    plain = assignment.AssignmentProblem(problem.similarity, [], [], problem.bias, 8, 3)
    free = assignment.solve(plain, enumerate_small=False, bound_steps=200, patience=2)
    assert result.bound < free.bound - 1.0


def test_all_swaps_gain_what_they_gain_one_by_one():
    problem = random_problem(3, per_class=[1, 2, 3, 4], forced_in=(0,), forced_out=(8,))
    host = refine.host_arrays(problem)
    selected = np.array([0, 3, 5, 6])
    gains = refine.swap_gains(host, selected)
    before = refine.relaxed_value(host, selected)
    for place, feature in itertools.product(range(4), range(9)):
        moved = selected.copy()
        moved[place] = feature
        if place == 0 or feature == 8 or feature in selected:
            assert gains[place, feature] == -np.inf
        else:
            gain = refine.relaxed_value(host, moved) - before
            assert gains[place, feature] == pytest.approx(gain, abs=1e-9)


def test_the_device_scores_swaps_as_the_host_does():
    problem = random_problem(5, forced_in=(0,), forced_out=(8,))
    selected = np.array([0, 3, 5, 6], np.int32)
    device = device_search.swap_gains(device_search.search_arrays(problem), selected)
    host = refine.swap_gains(refine.host_arrays(problem), selected)
    np.testing.assert_allclose(device, host, atol=1e-3)


def test_forced_features_and_sizes_by_class_are_kept_by_every_solver(optimum):
    problem = random_problem(
        7, per_class=[1, 2, 2, 3], forced_in=(2, 6), forced_out=(0, 4)
    )
    best = optimum(problem)
    for solver, options in (
        ("native", {}),
        ("native", {"enumerate_small": False}),
        ("highs", {"threads": 1}),
    ):
        result = assignment.solve(problem, solver, **options)
        assert result.objective == pytest.approx(best, rel=1e-6)
        assert {2, 6} <= set(result.selected.tolist())
        assert not {0, 4} & set(result.selected.tolist())
        assert_feasible(problem, result)


def test_selecting_every_feature_leaves_only_the_assignment(optimum):
    problem = random_problem(2, features=5, number=5)
    for options in ({}, {"enumerate_small": False}):
        result = assignment.solve(problem, **options)
        assert result.selected.tolist() == [0, 1, 2, 3, 4]
        assert result.objective == pytest.approx(optimum(problem))


def test_all_negative_similarities_still_give_every_class_its_features(optimum):
    problem = random_problem(2, similarity=-np.random.default_rng(0).random((9, 4)))
    result = assignment.solve(problem, enumerate_small=False)
    assert result.objective == pytest.approx(optimum(problem), rel=1e-9)
    assert_feasible(problem, result)


@pytest.mark.parametrize("solver", ["native", "highs"])
def test_a_time_limit_of_zero_gives_a_feasible_solution(solver):
    problem = random_problem(0, features=40, classes=20, number=12, size=3, kinds=20)
    result = assignment.solve(problem, solver, time_limit=0)
    assert result.status == "time_limit"
    assert_feasible(problem, result)


def test_the_same_seed_gives_the_same_answer():
    problem = random_problem(11, features=40, classes=20, number=12, size=3, kinds=20)
    first, second = (
        assignment.solve(problem, seed=5, patience=3, bound_steps=100) for _ in range(2)
    )
    assert first.status == second.status == "stalled"
    assert first.selected.tolist() == second.selected.tolist()
    assert (first.objective, first.bound) == (second.objective, second.bound)


def test_a_wide_gap_ends_the_search_early():
    problem = random_problem(11, features=40, classes=20, number=12, size=3, kinds=20)
    result = assignment.solve(problem, gap=0.9)
    assert result.status == "gap_reached"
    assert result.gap <= 0.9
    assert assignment.solve(problem, "highs", gap=0.9).status == "gap_reached"


@pytest.mark.parametrize("solver", ["native", "highs"])
def test_progress_hears_objectives_that_rise_and_bounds_that_fall(solver):
    heard = []
    problem = random_problem(11, features=40, classes=20, number=12, size=3, kinds=20)
    result = assignment.solve(
        problem, solver, progress=lambda *told: heard.append(told), time_limit=2
    )
    objective, upper, seconds = np.array(heard).T
    assert (np.diff(objective) >= -1e-9).all()
    assert (upper >= objective - 1e-6).all()
    assert (np.diff(seconds) >= 0).all()
    assert objective[-1] <= result.objective + 1e-9


def test_an_interrupt_of_the_start_is_one_of_the_whole(monkeypatch):
    problem = random_problem(0)
    native = exact.solve_native

    def interrupted(*arguments, **options):
        return replace(native(*arguments, **options), status="interrupted")

    monkeypatch.setattr(exact, "_SMALL", 0)
    monkeypatch.setattr(exact, "solve_native", interrupted)
    monkeypatch.setattr(exact, "solve_program", lambda *_, **__: pytest.fail("went on"))
    assert assignment.solve(problem, "highs").status == "interrupted"


@pytest.mark.parametrize("solver", ["native", "highs"])
def test_an_interrupt_returns_the_incumbent(solver):
    def interrupt(*_):
        raise KeyboardInterrupt

    problem = random_problem(11, features=40, classes=20, number=12, size=3, kinds=20)
    result = assignment.solve(problem, solver, progress=interrupt)
    assert result.status == "interrupted"
    assert_feasible(problem, result)


def test_a_deadline_in_the_past_stops_every_part():
    problem = random_problem(0)
    host = refine.host_arrays(problem)
    start = native.first_incumbent(problem, host).selected
    selected, value = refine.refine(host, start, deadline=0.0)
    assert selected.tolist() == start.tolist()
    chosen, kept, upper = enumeration.best_selection(host, start, deadline=0.0)
    assert (chosen.tolist(), kept, upper) == (start.tolist(), value, np.inf)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solver": "cplex"}, "solver is 'cplex'"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"time_limit": float("nan")}, "time_limit is nan"),
        ({"gap": -0.5}, "gap is -0.5"),
        ({"gap": float("inf")}, "gap is inf"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        assignment.solve(random_problem(0), **arguments)


def test_a_limit_in_rounds_gives_the_same_answer_every_time():
    random = np.random.default_rng(0)
    problem = assignment.AssignmentProblem(
        similarity=random.normal(size=(60, 12)),
        pairs=np.array([[0, 1], [2, 3]]),
        weights=np.array([0.5, 1.0]),
        bias=None,
        num_features=12,
        per_class=3,
    )
    options = {"max_rounds": 3, "time_limit": 600.0, "bound_steps": 20}
    first, second = (assignment.solve(problem, **options) for _ in range(2))
    assert first.status == "time_limit"
    assert first.objective == second.objective
    assert np.array_equal(first.assignment, second.assignment)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.regression import RegressionProblem, build_mip, mip, solve, start
from qpm_jax.regression.answers import whole_bound
from qpm_jax.regression.intercepts import best_intercepts
from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.mip_program import read_weights, write_weights
from qpm_jax.regression.start import rounded_starts


def patterns(count=24, features=6, classes=3, seed=0):
    """Classes that each show two of six features, with noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    shown = np.arange(features) % classes == labels[:, None]
    flipped = random.random((count, features)) < 0.15
    return RegressionProblem(shown ^ flipped, labels, classes, 2, 5)


@pytest.mark.parametrize("solver", ["highs", "scip"])
@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_that_of_trying_everything(
    make_problem, brute_force, solver, seed
):
    small = make_problem(seed)
    found = solve(small, solver, threads=1)
    assert found.objective == brute_force(small)
    assert found.bound == found.objective
    assert found.status == "optimal"


@pytest.mark.parametrize("seed", range(4))
def test_whole_features_are_taken_as_they_are(make_problem, brute_force, seed):
    small = make_problem(seed, instances=5, features=2, classes=2, top=3, beta=6)
    assert solve(small, threads=1).objective == brute_force(small)


@pytest.mark.parametrize("seed", range(3))
def test_fractional_prices_are_taken(make_problem, brute_force, seed):
    small = make_problem(seed, alpha=1.5, beta=2.25)
    assert solve(small, threads=1).objective == pytest.approx(brute_force(small))


@pytest.mark.parametrize("seed", range(3))
def test_equal_prices_are_taken(make_problem, brute_force, seed):
    small = make_problem(seed, instances=6, classes=2, alpha=3, beta=3)
    assert solve(small, threads=1).objective == brute_force(small)


def test_where_the_program_is_unbounded_the_bound_on_intercepts_holds(brute_force):
    features = np.array([[1, 0], [1, 1], [1, 0], [1, 0], [0, 1]])
    unbalanced = RegressionProblem(features, [0, 0, 0, 0, 1], 2, 2, 5)
    found = solve(unbalanced, threads=1)
    assert np.abs(found.intercepts).max() <= 1
    assert found.objective == brute_force(unbalanced, 1)


def test_constant_and_equal_columns_are_merged_and_instances_counted():
    features = np.array([[1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 1, 0]] * 2)
    data = merge(RegressionProblem(features, [0, 0, 1, 1, 1, 0], 2, 2, 5))
    assert data.features.shape == (4, 2)
    assert sorted(data.counts) == [1, 1, 2, 2]
    assert sorted(data.sizes) == [1, 2]
    assert data.group[:2].tolist() == [-1, -1]
    assert data.group[2] == data.group[4] != data.group[3]


def test_a_constant_column_is_kept_where_the_intercepts_are_bounded_by_choice():
    features = np.array([[1, 0, 1], [1, 0, 0]])
    data = merge(RegressionProblem(features, [0, 1], 2, 2, 5, intercept_bound=0))
    assert data.group.tolist() == [0, -1, 1] or data.group.tolist() == [1, -1, 0]


def test_data_without_any_feature_that_varies_still_make_a_program():
    flat = RegressionProblem(np.zeros((4, 2), int), [0, 1, 0, 1], 2, 2, 5)
    found = solve(flat, threads=1)
    assert (found.objective, found.status) == (0, "optimal")


def test_merged_weights_spread_over_their_columns():
    features = np.array([[1, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1]])
    data = merge(RegressionProblem(features, [0, 1, 0], 2, 2, 5))
    triple = int(np.flatnonzero(data.sizes == 3)[0])
    merged = np.zeros((2, 2), np.int64)
    merged[0, triple] = -2
    spread = data.spread(merged)
    assert np.abs(spread).sum(axis=1).tolist() == [2, 0]
    assert spread.min() == -1
    assert spread.max() == 0
    assert np.array_equal(data.gather(spread), merged)


def test_a_feature_is_rare_where_few_instances_have_or_lack_it():
    features = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]])
    data = merge(RegressionProblem(features, [0, 0, 1, 1, 0], 2, 2, 5))
    assert data.rarity.tolist() == [1, 1, 1]
    features[1:3, 2] = 1
    data = merge(RegressionProblem(features, [0, 0, 1, 1, 0], 2, 2, 5))
    assert sorted(data.rarity.tolist()) == [1, 1, 2]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_a_program_s_variables_cost_what_the_weights_cost(seed):
    random = np.random.default_rng(seed)
    features = random.integers(0, 2, (9, 4))
    features[:, 3] = features[:, 0]
    some = RegressionProblem(features, np.arange(9) % 3, 3, 2, 5)
    built = build_mip(some)
    weights = random.integers(-1, 2, (3, 4))
    weights[:, built.data.group < 0] = 0
    offsets = random.integers(-some.intercept_limit, some.intercept_limit + 1, 3)
    values = write_weights(built, weights, offsets)
    objective, violation = solvers.solution.evaluate(built.program, values)
    assert violation == 0
    read = read_weights(built, values)
    assert objective == some.objective(*read)
    assert objective <= some.objective(weights, offsets)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_intercepts_for_given_weights_are_the_best(seed):
    random = np.random.default_rng(seed)
    some = RegressionProblem(random.integers(0, 2, (9, 4)), np.arange(9) % 3, 3, 2, 5)
    weights = random.integers(-1, 2, (3, 4))
    found = some.objective(weights, best_intercepts(some, weights))
    span = np.arange(-9, 10)
    least = min(some.objective(weights, [0, a, b]) for a in span for b in span)
    assert found == least


def test_without_time_intercepts_are_zero():
    assert best_intercepts(patterns(), np.zeros((3, 6), int), 0.0).tolist() == [0, 0, 0]


def test_the_starts_get_ever_better_and_the_last_is_near_the_optimum():
    some = patterns(60)
    costs = [some.objective(*one) for one in rounded_starts(some, merge(some), 10.0)]
    assert costs[0] <= 0
    assert costs == sorted(costs, reverse=True)
    best = solve(some, threads=1).objective
    assert best <= costs[-1] <= 0.8 * best < 0


def test_a_start_cut_short_is_still_a_model():
    some = patterns(60)
    for one in rounded_starts(some, merge(some), 1e-3):
        assert some.objective(*one) <= 0
    assert not list(rounded_starts(some, merge(some), 0.0))


def test_ctrl_c_while_the_best_intercepts_are_sought_is_passed_on(monkeypatch):
    def pressed(program, options):
        raise KeyboardInterrupt

    monkeypatch.setattr("qpm_jax.solvers.highs.run", pressed)
    with pytest.raises(KeyboardInterrupt):
        best_intercepts(patterns(), np.zeros((3, 6), int))


@pytest.mark.parametrize("roundings", [0, 3])
def test_ctrl_c_while_the_start_is_made_returns_the_best_model_by_then(
    monkeypatch, roundings
):
    some, made = patterns(60), []

    def interrupted(*arguments):
        if len(made) == roundings:
            raise KeyboardInterrupt
        made.append(best_intercepts(*arguments))
        return made[-1]

    monkeypatch.setattr(start, "best_intercepts", interrupted)
    found = solve(some, threads=1)
    assert (found.status, found.solver, found.bound) == (
        "interrupted",
        "highs",
        -np.inf,
    )
    assert found.coefficients.any() == (roundings > 0)


def test_ctrl_c_before_the_first_rounding_returns_zero_weights(monkeypatch):
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "descend", pressed)
    found = solve(patterns(), threads=1)
    assert (found.status, found.objective) == ("interrupted", 0)


def test_without_time_zero_weights_come_back_and_the_status_says_so():
    found = solve(patterns(), time_limit=0)
    assert found.status == "no_incumbent"
    assert not found.coefficients.any()
    assert (found.objective, found.bound) == (0, -np.inf)


@pytest.mark.parametrize(
    ("thresholds", "status"), [((), "no_incumbent"), ((0.5,), "time_limit")]
)
def test_zero_weights_are_an_answer_only_once_others_were_tried(
    monkeypatch, thresholds, status
):
    nothing = solvers.solution.RawAnswer(None, -np.inf, "time_limit")
    monkeypatch.setattr("qpm_jax.solvers.highs.run", lambda *_: nothing)
    monkeypatch.setattr(start, "_THRESHOLDS", thresholds)
    useless = RegressionProblem(
        np.arange(12).reshape(-1, 1) // 3 % 2, [0, 1, 2] * 4, 3, 2, 5
    )
    found = solve(useless, threads=1)
    assert not found.coefficients.any()
    assert found.status == status


def test_a_gap_asked_for_ends_the_solve():
    found = solve(patterns(90, 9), gap=0.5, threads=1)
    assert found.status in ("gap_reached", "optimal")
    assert found.gap <= 0.5


def test_progress_is_told(make_problem):
    told = []
    solve(patterns(60, 9), threads=1, progress=lambda *news: told.append(news))
    assert told
    assert all(len(news) == 3 for news in told)


def test_a_whole_objective_has_a_whole_bound():
    some = patterns()
    assert whole_bound(some, -7.4) == -7
    assert whole_bound(some, -7.0000001) == -7
    assert whole_bound(some, -np.inf) == -np.inf
    fractional = RegressionProblem(some.features, some.labels, 3, 1.5, 2)
    assert whole_bound(fractional, -7.4) == -7.4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"solver": "cplex"}, "solver is 'cplex'; choose one of native, highs"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"gap": np.inf}, "gap is inf"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        mip.solve(patterns(), **settings)


def test_flags_are_solved_to_proof(shared):
    table = np.genfromtxt(shared("data/flags/flags.tsv"), names=True, delimiter="\t")
    columns = [name for name in table.dtype.names if name != "target"]
    features = np.stack([table[name] for name in columns], 1) > 0
    labels = np.unique(table["target"], return_inverse=True)[1]
    kept = np.concatenate([np.flatnonzero(labels == c)[:2] for c in range(5)])
    found = solve(RegressionProblem(features[kept], labels[kept], 5, 2, 5), threads=1)
    assert found.status == "optimal"
    assert (found.coefficients @ features[kept].T + found.intercepts[:, None]).argmax(
        axis=0
    ).tolist() == labels[kept].tolist()

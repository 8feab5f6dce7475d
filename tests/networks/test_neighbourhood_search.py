import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.networks import (
    FeatureLimit,
    LinearRule,
    Monotone,
    NetworkProblem,
    ReLUNetwork,
    WeightSign,
    outputs,
    search,
    solve,
    weight_family,
)
from qpm_jax.networks.local_search.neighbourhoods import hold, of_layer, of_neuron
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.programs.program_values import read_network, standard_form
from qpm_jax.networks.programs.restriction import restrict
from qpm_jax.networks.starts.dense_starts import repaired, ridge_start, zero_network
from qpm_jax.networks.starts.gradient_start import gradient_starts
from qpm_jax.solvers.solution import evaluate


def three_blobs(seed=0, count=24, family="grid", hidden=(3,), **settings):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = np.array([[0.0, 1.5], [1.5, -1.0], [-1.5, -1.0]])
    data = centres[labels] + random.normal(size=(count, 2))
    kept = {"l1": 0.01} | settings
    return NetworkProblem(data, labels, 3, hidden, weight_family(family), **kept)


@given(
    st.integers(0, 10**6),
    st.sampled_from(["grid", "ternary", "bilinear"]),
    st.sampled_from([(3,), (3, 2), (2, 2)]),
    st.sampled_from([0.0, 0.02]),
    st.integers(0, 5),
)
@settings(max_examples=30, deadline=None)
def test_a_held_network_is_a_solution_of_the_smaller_program(
    seed, family, hidden, price, choice
):
    problem = three_blobs(seed, 8, family, hidden, layer_price=price, l2=price)
    network = ridge_start(problem)
    dense = build_dense(problem, ordered=False)
    layer = choice % (len(hidden) + 1)
    if choice < 3 or family == "bilinear":
        free = of_layer(network, problem.features, layer, 0.3)
    else:
        layer = min(layer, len(hidden) - 1)
        neuron = choice % hidden[layer]
        free = of_neuron(network, problem.features, layer, neuron, 0.3)
    part, start = hold(dense, network, free)
    objective, violation = evaluate(part.program, start)
    assert violation < 1e-9
    assert part.program.num_variables < dense.program.num_variables
    whole = part.expanded(start)
    assert evaluate(dense.program, whole)[1] < 1e-9
    again = read_network(dense, whole)
    assert problem.objective(again) == pytest.approx(problem.objective(network))
    found = solvers.solve(part.program, threads=1, warm_start=start, time_limit=1)
    assert found.objective <= objective + 1e-9
    better = read_network(dense, part.expanded(found.values))
    assert problem.objective(better) <= problem.objective(network) + 1e-6 + 2 * price


def test_with_all_patterns_free_a_layer_is_solved_to_its_optimum():
    problem = three_blobs(count=9, hidden=(2,))
    network = ridge_start(problem)
    dense = build_dense(problem, ordered=False)
    part, start = hold(dense, network, of_layer(network, problem.features, 0, 1.0))
    found = solvers.solve(part.program, threads=1, warm_start=start)
    assert found.status == "optimal"
    random = np.random.default_rng(0)
    for _ in range(200):
        weights = network.weights[0] + random.normal(size=(2, 2))
        drawn = ReLUNetwork(
            (np.clip(weights, -3, 3), network.weights[1]),
            (random.normal(size=2), network.biases[1]),
        )
        assert problem.objective(drawn) >= found.objective - 1e-9


def test_a_product_of_two_free_variables_is_not_dropped():
    problem = three_blobs(count=6, family="bilinear")
    dense = build_dense(problem)
    nothing = (np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    values = np.zeros(dense.program.num_variables)
    with pytest.raises(ValueError, match="given leaves a product of two variables"):
        restrict(dense.program, values, values > 0, nothing)


@pytest.mark.parametrize("family", ["grid", "ternary", "bilinear"])
def test_search_improves_a_start_and_tells_of_it(family):
    problem = three_blobs(family=family)
    start = ridge_start(problem)
    told = []
    found = search(problem, start, 1.5, improved=lambda _, value: told.append(value))
    assert problem.objective(found) == told[-1] < problem.objective(start)
    assert (np.diff(told) < 0).all()
    again = problem.family.rounded(found.weights[1])
    assert np.array_equal(again, found.weights[1])


def test_search_ends_by_itself_where_nothing_helps():
    problem = three_blobs(count=6, hidden=(1,), l1=5.0)
    start = zero_network(problem)
    found = search(problem, start, 60.0)
    assert problem.objective(found) == problem.objective(start)


def test_gradient_starts_are_members_and_better_than_ridge():
    problem = three_blobs(family="ternary")
    starts = gradient_starts(problem, seed=1, restarts=4, epochs=300)
    values = [problem.objective(each) for each in starts]
    assert values == sorted(values)
    assert values[0] < problem.objective(ridge_start(problem))
    for each in starts:
        assert set(each.weights[1].flat) <= {-1, 0, 1}
        assert np.abs(each.weights[0]).max() <= 3


def test_gradient_training_knows_the_binary_code():
    problem = three_blobs(label_encoding="binary", family="bilinear")
    best = gradient_starts(problem, restarts=4, epochs=300)[0]
    assert problem.loss(best) < 0.8


@pytest.mark.parametrize(
    "rule", [WeightSign(0, -1), FeatureLimit(1), Monotone(1, 0), FeatureLimit(0)]
)
def test_repaired_networks_follow_rules(rule):
    problem = three_blobs(rules=[rule])
    random = np.random.default_rng(0)
    draft = ReLUNetwork(
        (9 * random.normal(size=(3, 2)), random.normal(size=(3, 3))),
        (9 * random.normal(size=3), random.normal(size=3)),
    )
    network = repaired(problem, draft)
    found = solve(problem, time_limit=0, start=network)
    assert found.network is not None
    assert np.abs(network.weights[0]).max() <= 3
    first = network.weights[0]
    if isinstance(rule, WeightSign):
        assert (first[:, 0] <= 0).all()
    elif isinstance(rule, FeatureLimit):
        assert first.any(axis=0).sum() <= rule.most
    else:
        assert (network.weights[1][0] * first[:, 1] >= 0).all()


def test_rules_of_deep_monotone_networks_hold_through_a_solve():
    problem = three_blobs(hidden=(2, 2), rules=[Monotone(1, 0)])
    found = solve(problem, time_limit=1.0, threads=1)
    up = problem.features + np.array([0, 1.0])
    before, after = outputs(found.network, problem.features), outputs(found.network, up)
    assert (after >= before - 1e-9)[:, 0].all()


def test_a_rule_that_no_start_follows_asks_for_one():
    rule = LinearRule(0, np.ones((3, 2)), lower=1.0)
    problem = three_blobs(rules=[rule])
    with pytest.raises(ValueError, match="breaks a rule in `rules`; give a network"):
        solve(problem, time_limit=0)
    given = ReLUNetwork((np.full((3, 2), 0.25), np.zeros((3, 3))), (np.zeros(3),) * 2)
    found = solve(problem, time_limit=1, start=given, threads=1)
    assert found.network.weights[0].sum() >= 1 - 1e-6
    assert found.objective <= problem.objective(standard_form(problem, given))


def tiny():
    problem = three_blobs(count=5, hidden=(1,), family="ternary", l1=0.1)
    return problem, ridge_start(problem)


@pytest.mark.parametrize("settings", [{"relu": "partitioned"}, {"tightening": 0.5}])
def test_a_small_problem_is_proven(settings):
    problem, start = tiny()
    found = solve(problem, time_limit=60, threads=1, gap=0.0, start=start, **settings)
    assert found.status == "optimal"
    assert found.gap <= 1e-6
    assert found.objective == problem.objective(found.network)
    direct = solvers.solve(build_dense(problem).program, threads=1)
    assert found.objective == pytest.approx(direct.objective, abs=1e-6)


def test_a_wide_gap_is_reached_early():
    problem, start = tiny()
    found = solve(problem, time_limit=60, threads=1, gap=0.9, start=start)
    assert found.status in ("gap_reached", "optimal")


@pytest.mark.parametrize("number", [1, 4])
def test_ctrl_c_ends_with_the_best_so_far(number):
    problem = three_blobs()
    told = []

    def press(objective, bound, seconds):
        told.append(objective)
        if len(told) == number:
            raise KeyboardInterrupt

    found = solve(problem, time_limit=5, threads=1, progress=press)
    assert found.status == "interrupted"
    assert found.objective == told[-1]
    assert len(found.history) == number


def test_a_start_of_ones_own_is_never_made_worse():
    problem = three_blobs()
    start = search(problem, ridge_start(problem), 0.5)
    found = solve(problem, time_limit=0.3, start=start, threads=1)
    assert found.objective <= problem.objective(start)

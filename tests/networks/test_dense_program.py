import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from qpm_jax import solvers
from qpm_jax.networks import (
    FeatureLimit,
    LinearRule,
    Monotone,
    NetworkProblem,
    ReLUNetwork,
    WeightSign,
    outputs,
    weight_family,
)
from qpm_jax.networks.bounds.intervals import interval_bounds
from qpm_jax.networks.network import preactivations
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.programs.program_values import (
    read_network,
    standard_form,
    write_network,
)
from qpm_jax.solvers.solution import evaluate

PRICES = {"l1": 0.05, "l2": 0.01, "neuron_price": 0.02, "layer_price": 0.03}


def small_problem(seed, hidden=(2,), classes=2, family="ternary", **settings):
    random = np.random.default_rng(seed)
    data = random.normal(size=(5, 2))
    labels = np.arange(5) % classes
    kept = {"family": weight_family(family)} | settings
    return NetworkProblem(data, labels, classes, hidden, **kept)


def member(problem, seed):
    """A sparse network of the problem's family and limits, in standard form."""
    random = np.random.default_rng(seed)
    weights, biases = [], []
    for layer, (into, out) in enumerate(itertools.pairwise(problem.widths)):
        drawn = random.uniform(-2, 2, (out, into)) * random.integers(0, 2, (out, into))
        weights.append(problem.family.rounded(drawn) if layer else drawn)
        biases.append(random.normal(size=out) / 3)
    return standard_form(problem, ReLUNetwork(tuple(weights), tuple(biases)))


@pytest.mark.parametrize("relu", ["big_m", "indicator", "partitioned"])
@pytest.mark.parametrize("family", ["grid", "ternary", "bilinear"])
@given(
    st.integers(0, 10**6),
    st.sampled_from([(2,), (3, 2), (2, 2)]),
    st.sampled_from(["one_hot", "binary"]),
)
@settings(max_examples=20, deadline=None)
def test_every_network_is_a_solution_of_its_own_objective(
    relu, family, seed, hidden, encoding
):
    problem = small_problem(seed, hidden, 3, family, label_encoding=encoding, **PRICES)
    network = member(problem, seed)
    dense = build_dense(problem, relu, quadratic=True)
    values = write_network(dense, network)
    objective, violation = evaluate(dense.program, values)
    assert violation < 1e-9
    assert objective == pytest.approx(problem.objective(network))
    again = read_network(dense, values)
    assert np.array_equal(
        outputs(again, problem.features), outputs(network, problem.features)
    )
    tangents = build_dense(problem, relu)
    lowered, violation = evaluate(tangents.program, write_network(tangents, network))
    assert violation < 1e-9
    assert lowered <= objective + 1e-12


def test_a_skipped_layer_is_a_solution_of_its_own_objective():
    problem = small_problem(3, (2, 2), layer_price=0.1)
    zero = np.zeros((2, 2))
    network = ReLUNetwork(
        (np.eye(2), zero, np.array([[1.0, 0], [0, -1]])),
        ([0.1, 0.2], [0, 0], [0.3, 0]),
        np.array([False, True]),
    )
    for relu in ("big_m", "partitioned"):
        dense = build_dense(problem, relu)
        values = write_network(dense, network)
        objective, violation = evaluate(dense.program, values)
        assert violation < 1e-9
        assert objective == pytest.approx(problem.objective(network))
        assert read_network(dense, values).skipped.tolist() == [False, True]


def least_by_patterns(problem):
    """The optimum of one neuron: an LP for each ReLU pattern and readout."""
    best = np.inf
    data, labels = problem.features, problem.labels
    count, width = data.shape
    signs = problem.codes[labels]
    # variables: w⁺ [F], w⁻ [F], b, readout bias, ξ [N]
    ranges = [(0, problem.weight_limit)] * (2 * width)
    ranges += [(-problem.weight_limit, problem.weight_limit)] * 2 + [(0, None)] * count
    cost = np.r_[np.full(2 * width, problem.l1), 0, 0, np.full(count, 1 / count)]
    eye = np.eye(count)
    nothing = np.zeros((count, count))
    pre = np.hstack([data, -data, np.ones((count, 1)), np.zeros((count, 1)), nothing])
    for out, pattern in itertools.product(
        (-1, 0, 1), itertools.product((0, 1), repeat=count)
    ):
        on = np.array(pattern)[:, None]
        value = out * on * pre
        value[:, 2 * width + 1] = 1
        rows = np.vstack([np.where(on == 1, -pre, pre), -signs * value])
        rows[count:, 2 * width + 2 :] = -eye
        found = linprog(
            cost, rows, np.r_[np.zeros(count), -np.ones(count)], bounds=ranges
        )
        if found.success:
            best = min(best, found.fun + problem.l1 * abs(out))
    return best


@pytest.mark.parametrize("relu", ["big_m", "partitioned"])
@pytest.mark.parametrize("seed", range(2))
def test_the_optimum_is_the_best_of_all_patterns(seed, relu):
    problem = small_problem(seed, (1,), label_encoding="binary", l1=0.02)
    dense = build_dense(problem, relu)
    found = solvers.solve(dense.program, "highs", threads=1)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(least_by_patterns(problem), abs=1e-6)
    network = read_network(dense, found.values)
    assert problem.objective(network) == pytest.approx(found.objective, abs=1e-6)


@pytest.mark.parametrize(
    ("solver", "relu"), [("scip", "indicator"), ("scip", "big_m"), ("gurobi", "big_m")]
)
def test_solvers_and_encodings_agree(solver, relu):
    problem = small_problem(1, (1,), label_encoding="binary", l1=0.02)
    first = solvers.solve(build_dense(problem).program, "highs", threads=1)
    other = solvers.solve(build_dense(problem, relu).program, solver, threads=1)
    assert other.objective == pytest.approx(first.objective, abs=1e-5)


def test_products_of_free_weights_are_solved_as_such():
    problem = small_problem(
        1, (1,), family="bilinear", label_encoding="binary", l1=0.02
    )
    dense = build_dense(problem)
    found = solvers.solve(dense.program, "scip", time_limit=20, gap=0.01, threads=1)
    network = read_network(dense, found.values)
    assert problem.objective(network) == pytest.approx(found.objective, abs=1e-4)
    ternary = small_problem(1, (1,), label_encoding="binary", l1=0.02)
    least = solvers.solve(build_dense(ternary).program, "highs", threads=1).objective
    assert found.bound <= least


def test_a_layer_that_does_not_pay_is_skipped():
    data = [[-1.0], [1.0], [-2.0], [2.0]]
    problem = NetworkProblem(
        data,
        [0, 1, 0, 1],
        2,
        (1, 1),
        weight_family("ternary"),
        "binary",
        l1=0.01,
        layer_price=1.0,
    )
    dense = build_dense(problem)
    found = solvers.solve(dense.program, threads=1)
    network = read_network(dense, found.values)
    assert network.skipped.tolist() == [False, True]
    assert problem.objective(network) == pytest.approx(found.objective, abs=1e-6)


RULES = {
    "sign": (WeightSign(0, -1), lambda net: (net.weights[0][:, 0] <= 1e-9).all()),
    "limit": (
        FeatureLimit(1),
        lambda net: (np.abs(net.weights[0]).max(axis=0) > 1e-6).sum() <= 1,
    ),
    "linear": (
        LinearRule(0, [[1.0, 1.0], [0, 0]], upper=-0.25),
        lambda net: net.weights[0][0].sum() <= -0.25 + 1e-6,
    ),
    "monotone": (
        Monotone(0, 0),
        lambda net: (net.weights[-1][0] * net.weights[0][:, 0] >= -1e-9).all(),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_of_the_user_are_kept(name):
    rule, holds = RULES[name]
    problem = small_problem(2, (2,), label_encoding="binary", l1=0.02, rules=[rule])
    dense = build_dense(problem)
    found = solvers.solve(dense.program, threads=1, time_limit=20, gap=0.05)
    network = standard_form(problem, read_network(dense, found.values))
    assert holds(network)
    violation = evaluate(dense.program, write_network(dense, network))[1]
    assert violation < 1e-6


@pytest.mark.parametrize("hidden", [(2, 2), (2, 3, 2)])
def test_a_monotone_output_never_falls(hidden):
    rules = [Monotone(0, 1), Monotone(1, 0, increasing=False)]
    problem = small_problem(4, hidden, l1=0.001, rules=rules)
    dense = build_dense(problem)
    found = solvers.solve(dense.program, threads=1, time_limit=1, gap=0.5)
    if not found.found:
        pytest.skip("no network in time")
    network = read_network(dense, found.values)
    random = np.random.default_rng(0)
    here = random.normal(size=(50, 2))
    step = random.uniform(0, 2, size=(50, 1))
    right, up = here + step * [1, 0], here + step * [0, 1]
    assert (outputs(network, right) >= outputs(network, here) - 1e-6)[:, 1].all()
    assert (outputs(network, up) <= outputs(network, here) + 1e-6)[:, 0].all()


@given(st.integers(0, 10**6), st.sampled_from([(2,), (3, 2), (2, 2)]))
@settings(max_examples=30, deadline=None)
def test_bounds_hold_for_every_network_that_is_no_worse(seed, hidden):
    problem = small_problem(seed, hidden, family="grid", **PRICES)
    network = member(problem, seed)
    bounds = interval_bounds(problem, problem.objective(network))
    free = interval_bounds(problem)
    every = preactivations(network, problem.features)
    for layer, reached in enumerate(every):
        assert (reached <= bounds.upper[layer] + 1e-9).all()
        assert (reached >= bounds.lower[layer] - 1e-9).all()
        assert (bounds.upper[layer] <= free.upper[layer] + 1e-9).all()


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match="relu is 'convex'; choose one of big_m"):
        build_dense(small_problem(0), "convex")


def test_highs_names_the_solvers_that_take_indicators():
    dense = build_dense(small_problem(0), "indicator")
    with pytest.raises(ValueError, match="choose scip or gurobi"):
        solvers.solve(dense.program, "highs")

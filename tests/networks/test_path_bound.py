import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.networks import (
    NetworkProblem,
    ReLUNetwork,
    build_dense,
    path_bound,
    search,
    weight_family,
)
from qpm_jax.networks.starts.dense_starts import repaired, ridge_start


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
@given(
    st.integers(0, 10**6),
    st.integers(2, 4),
    st.sampled_from([0.003, 0.03, 0.2]),
    st.sampled_from([0.0, 0.05]),
)
@settings(max_examples=20, deadline=None)
def test_no_network_is_below_the_bound(blobs, encoding, seed, classes, l1, l2):
    problem = blobs(seed, 12, classes, "grid", label_encoding=encoding, l1=l1, l2=l2)
    bound = path_bound(problem)
    random = np.random.default_rng(seed)
    start = ridge_start(problem)
    found = search(problem, start, 0.05)
    drawn = repaired(
        problem,
        ReLUNetwork(
            tuple(random.normal(size=each.shape) for each in start.weights),
            tuple(random.normal(size=each.shape) for each in start.biases),
        ),
    )
    for network in (start, found, drawn):
        assert bound <= problem.objective(network) + 1e-7
    assert bound >= 0


def test_the_bound_is_below_the_optimum_and_far_above_the_relaxation(blobs):
    problem = blobs(3, 8, 2, "ternary", (1,), label_encoding="binary", l1=0.05)
    optimum = solvers.solve(build_dense(problem).program, threads=1)
    assert optimum.status == "optimal"
    bound = path_bound(problem)
    assert bound <= optimum.objective + 1e-7
    assert bound > 0.4 * optimum.objective


def test_two_instances_need_the_weights_that_part_them():
    # S R ≥ 2 with S = R in the optimum, R = 2 T: A = √2, T = 1 / √2 of no loss
    problem = NetworkProblem(
        [[-1.0], [1.0]], [0, 1], 2, (2,), weight_family("bilinear"), l1=0.01
    )
    assert path_bound(problem) == pytest.approx(0.01 * 2, rel=1e-3)


def test_a_layer_costs_its_price_and_deeper_networks_have_no_more(blobs):
    shallow = blobs(0, l1=0.05)
    priced = blobs(0, l1=0.05, layer_price=0.5)
    assert path_bound(priced) == pytest.approx(path_bound(shallow) + 0.5)
    assert path_bound(blobs(0, hidden=(2, 2), l1=0.05, layer_price=0.5)) == 0.5
    assert path_bound(blobs(0, l1=0.0)) == 0


def test_without_time_the_bound_is_nothing(blobs):
    assert path_bound(blobs(0), time_limit=0.0) == 0


def test_many_instances_are_bounded_by_some(blobs):
    problem = blobs(1, 700, 2, l1=0.05)
    bound = path_bound(problem, 2.0)
    assert 0 < bound <= problem.objective(ridge_start(problem))

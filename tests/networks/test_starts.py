"""Networks to start from have the targets, limits, family and rules of the problem."""

import numpy as np
import pytest

from qpm_jax.networks import (
    ConvProblem,
    Monotone,
    NetworkProblem,
    ReLUNetwork,
    outputs,
    solve,
    weight_family,
)
from qpm_jax.networks.labels import class_codes, output_signs
from qpm_jax.networks.starts.conv_training import train_conv
from qpm_jax.networks.starts.dense_starts import ridge_start, zero_network
from qpm_jax.networks.starts.gradient_training import train_networks


def two_classes(labels, encoding="binary", **settings):
    """One feature that tells the classes apart with room to spare."""
    labels = np.array(labels)
    features = 2.0 * labels[:, None] - 1.0 + 0.1 * np.arange(len(labels))[:, None] / 8
    kept = {"hidden": (2,), "l1": 0.001, "label_encoding": encoding} | settings
    return NetworkProblem(features, labels, 2, **kept)


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_every_output_is_wanted_at_plus_or_minus_one(encoding):
    codes = class_codes(3, encoding)
    signs = output_signs(codes)
    assert set(signs.flat) == {-1.0, 1.0}
    assert np.array_equal(signs > 0, codes > 0)


@pytest.mark.parametrize("start", [ridge_start, zero_network])
def test_exchanging_the_classes_of_a_bit_mirrors_a_start(start):
    labels = np.array([1, 1, 1, 1, 1, 1, 1, 0])
    problem = two_classes(labels)
    mirrored = NetworkProblem(
        problem.features,
        1 - labels,
        2,
        (2,),
        label_encoding="binary",
        l1=problem.l1,
    )
    reached = outputs(start(problem), problem.features)
    assert np.allclose(outputs(start(mirrored), problem.features), -reached)


def test_trained_networks_reach_the_margin_on_both_sides_of_a_bit():
    problem = two_classes([0, 1] * 4, family=weight_family("bilinear"), l1=0.02)
    trained = train_networks(problem, restarts=4, epochs=400)
    assert min(problem.loss(each) for each in trained) < 0.1


def test_trained_convolutions_reach_the_margin_on_both_sides_of_a_bit():
    labels = np.arange(20) % 2
    pixels = np.broadcast_to(labels[:, None, None], (20, 4, 4)) * 1.0
    problem = ConvProblem(
        pixels,
        labels,
        2,
        family=weight_family("bilinear"),
        label_encoding="binary",
        l1=1e-4,
    )
    assert problem.loss(train_conv(problem, steps=200)) < 0.05


def test_the_start_of_no_weights_keeps_the_limit_of_biases():
    labels = [0, 0, 0, 0, 0, 0, 0, 1]
    problem = two_classes(labels, "one_hot", hidden=(1,), l1=3.0, weight_limit=0.1)
    found = solve(problem, time_limit=3, threads=1)
    assert max(np.abs(each).max() for each in found.network.biases) <= 0.1
    # the margin is 0.2 at most: (7 · 0.8 + 1.2) / 8
    assert found.objective == pytest.approx(0.85)
    assert found.bound <= 0.85 + 1e-6


def outside(weight, bias):
    return ReLUNetwork(
        (np.array([[0.5], [0.0]]), np.array([[weight, 0.0]])),
        (np.zeros(2), np.array([bias])),
    )


@pytest.mark.parametrize("start", [outside(0.7, 0.0), outside(2.0, -9.0)])
@pytest.mark.parametrize("seconds", [0, 2])
def test_a_start_of_ones_own_is_bent_into_family_and_limits(start, seconds):
    family = weight_family("grid", 2.0, 2)
    problem = two_classes([0, 1] * 4, family=family, l2=0.1)
    found = solve(problem, time_limit=seconds, threads=1, start=start).network
    assert np.array_equal(family.rounded(found.weights[1]), found.weights[1])
    assert max(np.abs(each).max() for each in found.biases) <= problem.weight_limit


def test_a_start_of_ones_own_that_breaks_a_rule_is_bent_to_it():
    problem = two_classes([0, 1] * 4, rules=[Monotone(0, 0, increasing=False)])
    found = solve(problem, time_limit=0, start=outside(0.5, 0.0)).network
    assert (found.weights[1][0] * found.weights[0][:, 0] <= 0).all()


def test_a_start_may_skip_a_layer_that_has_no_price():
    problem = two_classes([0, 1] * 4, hidden=(1, 1), family=weight_family("ternary"))
    start = ReLUNetwork(
        (np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1))),
        (np.zeros(1), np.zeros(1), np.array([-1.0])),
        np.array([False, True]),
    )
    found = solve(problem, time_limit=0, start=start).network
    assert not found.skipped.any()
    reached = outputs(found, problem.features)
    assert np.allclose(reached, outputs(start, problem.features))

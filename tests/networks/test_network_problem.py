import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.networks import (
    FeatureLimit,
    LinearRule,
    Monotone,
    NetworkProblem,
    ReLUNetwork,
    WeightSign,
    weight_family,
)
from qpm_jax.networks.labels import class_codes, hinge_losses, scores


def test_the_objective_is_mean_loss_and_what_the_parts_cost():
    network = ReLUNetwork(
        ([[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]), ([0.0, 0.0], [0, 0.5])
    )
    problem = NetworkProblem(
        [[2.0, 0.0], [0.0, 1.0]],
        [0, 1],
        2,
        (2,),
        l1=0.1,
        l2=0.01,
        neuron_price=0.2,
        layer_price=0.3,
    )
    # outputs (2, 0.5) and (0, 0.5): no loss and 0.5
    assert problem.loss(network) == pytest.approx(0.25)
    assert problem.penalty(network) == pytest.approx(0.2 + 0.02 + 0.2 + 0.3)
    assert problem.objective(network) == pytest.approx(0.97)
    assert problem.widths == (2, 2, 2)


def test_one_hot_loss_is_the_multi_class_hinge():
    values = np.array([[2.0, 0.5, 1.5], [0.0, 0.0, 3.0]])
    losses = hinge_losses(values, np.array([0, 2]), "one_hot")
    assert losses.tolist() == [[0.5], [0.0]]


def test_a_binary_code_has_a_hinge_a_bit():
    codes = class_codes(3, "binary")
    assert codes.tolist() == [[-1, -1], [1, -1], [-1, 1]]
    losses = hinge_losses(np.array([[0.5, -2.0]]), np.array([2]), "binary")
    assert losses.tolist() == [[1.5, 3.0]]


@given(st.integers(0, 10**6), st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_codes_are_read_off_at_zero_where_they_belong_to_a_class(seed, classes):
    codes = class_codes(classes, "binary")
    values = np.random.default_rng(seed).normal(size=(9, codes.shape[1]))
    read = ((values > 0) << np.arange(codes.shape[1])).sum(axis=1)
    best = scores(values, codes).argmax(axis=1)
    known = read < classes
    assert np.array_equal(best[known], read[known])
    assert best.max() < classes


def test_of_equal_scores_the_first_class_wins():
    assert scores(np.zeros((1, 3)), class_codes(3, "one_hot")).argmax() == 0
    assert scores(np.zeros((1, 2)), class_codes(3, "binary")).argmax() == 0


@pytest.mark.parametrize("name", ["grid", "ternary"])
def test_members_of_a_family_are_what_their_bits_say(name):
    family = weight_family(name, step=0.25, bits=4)
    members = family.rounded(np.linspace(-9, 9, 200))
    assert np.allclose(family.values(family.bits(members)), members)
    assert members.max() == family.limit == -members.min()
    assert 0.0 in members


def test_the_grid_has_so_many_steps_on_either_side():
    family = weight_family("grid", step=0.5, bits=3)
    assert np.unique(family.rounded(np.linspace(-3, 3, 99))).tolist() == [
        -1.5,
        -1.0,
        -0.5,
        0.0,
        0.5,
        1.0,
        1.5,
    ]
    free = weight_family("bilinear", limit=2.0)
    assert free.rounded(np.array([0.3, -5])).tolist() == [0.3, -2.0]
    assert free.step == 0


GOOD = {"features": np.eye(4), "labels": [0, 1, 0, 1], "num_classes": 2}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"features": np.zeros((0, 2))}, "features has shape"),
        ({"features": np.full((4, 1), np.nan)}, "features holds NaN"),
        ({"labels": [0, 1]}, "labels has shape"),
        ({"labels": [0, 1, 2, 3]}, "labels holds 0 to 3"),
        ({"labels": [0, 0.5, 1, 1]}, "labels holds 0.5"),
        ({"num_classes": 3}, "labels has no instance of class 2; draw"),
        ({"num_classes": 1}, "num_classes is 1"),
        ({"hidden": (0,)}, r"hidden is \(0,\)"),
        ({"hidden": ()}, r"hidden is \(\)"),
        ({"hidden": (2.5,)}, "hidden is"),
        ({"l1": -1}, "l1 is -1"),
        ({"l2": np.inf}, "l2 is inf"),
        ({"neuron_price": "a"}, "neuron_price is 'a'"),
        ({"weight_limit": 0}, "weight_limit is 0"),
        ({"label_encoding": "ordinal"}, "label_encoding is 'ordinal'"),
        ({"rules": [WeightSign(7)]}, "feature is 7; it must be 0 … 3"),
        ({"rules": [WeightSign(0, 2)]}, "sign is 2"),
        ({"rules": [FeatureLimit(9)]}, "most is 9"),
        ({"rules": [Monotone(0, 5)]}, "output is 5"),
        ({"rules": [LinearRule(0, np.ones((1, 1)))]}, "coefficients has shape"),
        ({"rules": [LinearRule(3, np.ones((1, 1)))]}, "layer is 3"),
        ({"rules": ["w > 0"]}, "rules holds a str"),
    ],
)
def test_what_is_malformed_is_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        NetworkProblem(**(GOOD | settings))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "float"}, "deep_weights is 'float'"),
        ({"name": "grid", "step": 0}, "grid_step is 0"),
        ({"name": "grid", "bits": 1}, "grid_bits is 1"),
        ({"name": "bilinear", "limit": -1}, "limit is -1"),
    ],
)
def test_a_family_that_is_none_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        weight_family(**settings)

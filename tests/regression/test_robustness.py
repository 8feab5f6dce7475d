"""Radii are checked against trying every set of flips."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qpm_jax.regression.robustness import Certificate, certify, robust_accuracy

FEATURES, CLASSES = 5, 3


def _predict(coefficients, intercepts, rows):
    return (rows @ coefficients.T + intercepts).argmax(axis=1)


def _radius_by_trial(coefficients, intercepts, row):
    """The fewest flips that change the prediction, minus one; F if none do."""
    flips = np.array(list(itertools.product((0, 1), repeat=len(row))))
    before = _predict(coefficients, intercepts, row[None])[0]
    changed = _predict(coefficients, intercepts, row ^ flips) != before
    return flips[changed].sum(axis=1).min() - 1 if changed.any() else len(row)


def _models():
    return st.tuples(
        arrays(np.int64, (CLASSES, FEATURES), elements=st.integers(-1, 1)),
        arrays(np.int64, CLASSES, elements=st.integers(-3, 3)),
    )


@settings(max_examples=30, deadline=None)
@given(_models())
def test_the_radius_is_what_trying_all_flips_finds(model):
    rows = np.array(list(itertools.product((0, 1), repeat=FEATURES)))
    found = certify(*model, rows)
    assert np.array_equal(found.predicted, _predict(*model, rows))
    tried = [_radius_by_trial(*model, row) for row in rows]
    assert found.radius.tolist() == tried


def test_an_equal_score_goes_to_the_first_class_before_and_after_flips():
    coefficients = np.array([[0, 0], [1, 1]])
    certificate = certify(coefficients, [0, 0], np.array([[0, 0], [1, 0], [1, 1]]))
    assert certificate.predicted.tolist() == [0, 1, 1]
    assert certificate.radius.tolist() == [0, 0, 1]


def test_a_prediction_that_no_flips_change_has_the_number_of_features_as_radius():
    certificate = certify([[1, 0, 0], [0, 0, 1]], [9, 0], [[0, 1, 1]])
    assert certificate.radius.tolist() == [3]


def test_rows_are_certified_alone_however_many_there_are():
    random = np.random.default_rng(0)
    model = random.integers(-1, 2, (4, 20)), random.integers(-2, 3, 4)
    rows = random.integers(0, 2, (600, 20))
    whole = certify(*model, rows)
    assert np.array_equal(whole.radius[590:], certify(*model, rows[590:]).radius)


def test_robust_accuracy_falls_from_the_accuracy_to_the_largest_radius():
    certificate = Certificate(np.array([0, 1, 1, 0]), np.array([0, 2, 5, 3]))
    shares = robust_accuracy(certificate, [0, 1, 0, 0])
    assert shares.tolist() == [0.75, 0.5, 0.5, 0.25]


def test_robust_accuracy_without_a_correct_prediction_is_zero():
    certificate = Certificate(np.array([0]), np.array([4]))
    assert robust_accuracy(certificate, [1]).tolist() == [0.0]


@pytest.mark.parametrize("labels", [[0], []])
def test_labels_of_other_instances_are_refused(labels):
    certificate = Certificate(np.zeros(2, int), np.zeros(2, int))
    with pytest.raises(ValueError, match="labels has shape"):
        robust_accuracy(certificate, labels)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (([[2, 0]], [0], [[0, 1]]), "entries from 0 to 2"),
        (([1, 0], [0], [[0, 1]]), r"coefficients has shape \(2,\)"),
        (([[1, 0]], [0, 1], [[0, 1]]), "intercepts is"),
        (([[1, 0]], [0.5], [[0, 1]]), "intercepts is"),
        (([[1, 0]], [0], [[0, 1, 1]]), "features has shape"),
        (([[1, 0]], [0], [[0, 2]]), "features holds 0 to 2"),
    ],
)
def test_what_is_no_ternary_model_on_bits_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        certify(*model)

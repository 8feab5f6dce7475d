"""Confusions: which features led to the wrong class, image by image and on average."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

WEIGHTS = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], float)


def problem(seed, n=40):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    return features, features @ WEIGHTS.T, rng.integers(0, 3, n)


def test_shared_features_cancel_and_the_rest_tells_what_led():
    got = metrics.mistake(np.array([2.0, 9.0, 5.0, 1.0]), WEIGHTS, true=0, predicted=1)
    np.testing.assert_array_equal(got, [-2.0, 0.0, 5.0, 0.0])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_contributions_add_up_to_the_lead_of_the_wrong_class(seed):
    features, logits, labels = problem(seed)
    predicted = logits.argmax(axis=1)
    found = metrics.confusions(features, logits, labels, WEIGHTS)
    assert sum(c.count for c in found) == (predicted != labels).sum()
    for confusion in found:
        t, p = confusion.true, confusion.predicted
        rows = (labels == t) & (predicted == p)
        assert confusion.count == rows.sum() > 0
        assert confusion.share == pytest.approx(rows.sum() / (labels == t).sum())
        lead = (logits[rows, p] - logits[rows, t]).mean()
        assert confusion.lead == pytest.approx(lead, abs=1e-4)
        assert confusion.lead >= -1e-4
        expected = [metrics.mistake(row, WEIGHTS, t, p) for row in features[rows]]
        np.testing.assert_allclose(
            confusion.contributions, np.mean(expected, axis=0), atol=1e-4
        )


def test_the_most_frequent_come_first_and_ties_by_class():
    features, logits, labels = problem(1, n=200)
    found = metrics.confusions(features, logits, labels, WEIGHTS)
    order = [(-c.count, c.true, c.predicted) for c in found]
    assert order == sorted(order)
    limited = metrics.confusions(features, logits, labels, WEIGHTS, limit=2)
    assert [(c.true, c.predicted) for c in limited] == [
        (c.true, c.predicted) for c in found[:2]
    ]


def test_padded_batches_give_the_same_as_the_whole():
    features, logits, labels = problem(2)
    update = jax.jit(metrics.confusions_update)
    state = metrics.confusions_init(3, 4)
    for start in range(0, 40, 16):
        rows = np.arange(start, start + 16)
        valid = rows < 40
        rows = np.minimum(rows, 39)
        padded = np.where(valid[:, None], features[rows], np.nan)
        state = update(state, padded, logits[rows], labels[rows], valid)
    assert int(state.counts.sum()) == 40
    streamed = metrics.confusions_finish(state, WEIGHTS)
    whole = metrics.confusions(features, logits, labels, WEIGHTS)
    assert len(streamed) == len(whole)
    for a, b in zip(streamed, whole, strict=True):
        assert (a.true, a.predicted, a.count) == (b.true, b.predicted, b.count)
        np.testing.assert_allclose(a.contributions, b.contributions, atol=1e-5)


def test_a_model_without_mistakes_has_none_to_explain():
    features, logits, _ = problem(3)
    assert metrics.confusions(features, logits, logits.argmax(axis=1), WEIGHTS) == ()


def test_confusions_refuse_bad_input_by_name():
    features, logits, labels = problem(4)
    with pytest.raises(ValueError, match="predicted is 3; classes are"):
        metrics.mistake(features[0], WEIGHTS, 0, 3)
    with pytest.raises(ValueError, match="true is -1; classes are"):
        metrics.mistake(features[0], WEIGHTS, -1, 0)
    with pytest.raises(ValueError, match="weights must be"):
        metrics.mistake(features[0][:3], WEIGHTS, 0, 1)
    with pytest.raises(ValueError, match="labels must lie in"):
        metrics.confusions(features, logits, labels + 2, WEIGHTS)
    with pytest.raises(ValueError, match="num_classes must be"):
        metrics.confusions_init(0, 4)

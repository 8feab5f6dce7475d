"""Accuracy: the share of right predictions, whole and in batches."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.accuracy_update)


def test_accuracy_is_the_share_of_right_predictions():
    logits = np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 5.0], [1.0, 0.0]])
    assert metrics.accuracy(logits, np.array([0, 1, 1, 1])) == 0.5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_padded_batches_give_the_same_as_the_whole(seed):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(20, 3)), rng.integers(0, 3, 20)
    state = metrics.accuracy_init()
    for start in range(0, 20, 8):
        rows = np.minimum(np.arange(start, start + 8), 19)
        valid = np.arange(start, start + 8) < 20
        state = UPDATE(state, logits[rows], labels[rows], valid)
    assert metrics.accuracy_finish(state) == metrics.accuracy(logits, labels)


def test_no_sample_at_all_gives_zero():
    assert metrics.accuracy_finish(metrics.accuracy_init()) == 0.0


def test_accuracy_refuses_bad_input_by_name():
    with pytest.raises(ValueError, match="labels must be one a sample"):
        metrics.accuracy(np.zeros((5, 3)), np.zeros(3, int))
    with pytest.raises(ValueError, match="logits must be"):
        metrics.accuracy(np.zeros((0, 3)), np.zeros(0, int))

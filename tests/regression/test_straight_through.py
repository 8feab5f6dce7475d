import jax
import numpy as np
import pytest

from qpm_jax.regression import train_straight_through
from qpm_jax.regression.straight_through import rounded, ternary


def test_weights_up_to_the_threshold_are_zero_and_others_signs():
    latent = np.array([-2, -0.06, -0.05, 0, 0.05, 0.06, 2], np.float32)
    assert ternary(latent).tolist() == [-1, -1, 0, 0, 0, 1, 1]


def test_the_gradient_passes_where_the_weight_is_at_most_one():
    gradient = jax.grad(lambda latent: ternary(latent).sum())
    latent = np.array([-1.5, -0.9, 0, 0.02, 0.9, 1.5], np.float32)
    assert gradient(latent).tolist() == [0, 1, 1, 1, 1, 0]


def test_intercepts_round_and_their_gradient_passes_everywhere():
    latent = np.array([-1.4, 0.2, 5.6], np.float32)
    assert rounded(latent).tolist() == [-1, 0, 6]
    assert jax.grad(lambda latent: rounded(latent).sum())(latent).tolist() == [1, 1, 1]


def shown(count=40):
    labels = np.arange(count) % 4
    return (np.arange(8) % 4 == labels[:, None]).astype(int), labels


def test_classes_that_show_a_feature_each_are_told_apart():
    features, labels = shown()
    weights, offsets = train_straight_through(features, labels, 4, epochs=300)
    assert weights.dtype == np.int8
    assert set(weights.flat) <= {-1, 0, 1}
    assert offsets.dtype == np.int64
    assert ((features @ weights.T + offsets).argmax(axis=1) == labels).all()


def test_a_seed_gives_the_same_weights_and_another_others():
    features, labels = shown()
    first, again, other = (
        train_straight_through(features, labels, 4, seed, epochs=2)[0]
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_last_batch_that_is_not_full_counts_for_what_it_holds():
    features, labels = shown(33)
    weights, _ = train_straight_through(features, labels, 4, epochs=3, batch_size=32)
    assert np.abs(weights).max() == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 1.5}, "batch_size is 1.5"),
        ({"learning_rate": 0}, "learning_rate is 0"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        train_straight_through(*shown(), 4, **settings)

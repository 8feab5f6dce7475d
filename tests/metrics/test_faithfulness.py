"""Faithfulness: a network whose right explanation is known, exact curves, streams."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import metrics
from qpm_jax.metrics.faithfulness import _ranks


def looks_at_the_corner(images):
    """Two classes; the first one's score is the light in the upper left quarter."""
    light = 8 * images[:, :4, :4].mean(axis=(1, 2, 3))
    return jnp.stack([light, jnp.zeros_like(light)], axis=1)


def pictures(n=4):
    return np.ones((n, 8, 8, 3), np.float32)


def at_corner(n=4):
    importance = np.zeros((n, 4, 4))
    importance[:, :2, :2] = 1.0
    return importance


def test_the_right_explanation_falls_fast_and_rises_fast():
    result = metrics.faithfulness(looks_at_the_corner, pictures(), at_corner(), 4)
    # One of four steps covers the corner: with it gone both classes are even.
    sure = 1 / (1 + np.exp(-8.0))
    np.testing.assert_allclose(result.deletion, [sure, 0.5, 0.5, 0.5, 0.5], rtol=1e-5)
    np.testing.assert_allclose(result.insertion, [0.5, *4 * [sure]], rtol=1e-5)
    np.testing.assert_allclose(
        result.deletion_area, (3.5 * 0.5 + 0.5 * sure) / 4, rtol=1e-5
    )


def test_the_wrong_explanation_is_worse_than_chance_and_the_right_one_better():
    right = metrics.faithfulness(looks_at_the_corner, pictures(), at_corner())
    wrong = metrics.faithfulness(looks_at_the_corner, pictures(), 1 - at_corner())
    assert right.deletion_area < right.random_area < wrong.deletion_area
    assert right.insertion_area > right.random_area > wrong.insertion_area


def test_insertion_is_deletion_of_the_opposite_order_read_backwards():
    importance = np.random.default_rng(0).random((4, 4, 4))
    forth = metrics.faithfulness(looks_at_the_corner, pictures(), importance, 4)
    back = metrics.faithfulness(looks_at_the_corner, pictures(), -importance, 4)
    np.testing.assert_allclose(forth.insertion, back.deletion[::-1], rtol=1e-5)


def test_a_network_that_sees_nothing_has_flat_curves():
    def blind(images):
        return jnp.zeros((len(images), 3)).at[:, 1].set(np.log(2.0))

    result = metrics.faithfulness(blind, pictures(), at_corner(), 3)
    for curve in (result.deletion, result.insertion, result.random):
        np.testing.assert_allclose(curve, 0.5, rtol=1e-6)


def test_batches_with_padding_give_the_mean_of_their_curves():
    images, importance = pictures(6), np.random.default_rng(1).random((6, 4, 4))
    images *= np.arange(1, 7)[:, None, None, None]
    update = jax.jit(metrics.faithfulness_update)
    state = metrics.faithfulness_init(4)
    for start in range(0, 6, 4):
        rows = np.arange(start, start + 4)
        valid = rows < 6
        rows = np.minimum(rows, 5)
        shown = metrics.shown_positions(importance[rows], 4, jax.random.key(start))
        logits = [
            looks_at_the_corner(metrics.show(images[rows], part)) for part in shown
        ]
        state = update(state, jnp.stack(logits), valid)
    result = metrics.faithfulness_finish(state)
    whole = metrics.faithfulness(looks_at_the_corner, images, importance, 4)
    # All but the random order agree.
    np.testing.assert_allclose(result.deletion, whole.deletion, rtol=1e-5)
    np.testing.assert_allclose(result.insertion, whole.insertion, rtol=1e-5)
    np.testing.assert_allclose(result.random[[0, -1]], whole.random[[0, -1]], rtol=1e-5)


def test_pictures_show_all_then_nothing_then_more_and_less():
    importance = np.arange(4.0).reshape(1, 2, 2)
    shown = np.asarray(metrics.shown_positions(importance, 4, jax.random.key(0)))
    assert shown.shape == (11, 1, 2, 2)
    assert shown[0].all()
    assert not shown[1].any()
    counts = shown[:, 0].sum(axis=(1, 2))
    np.testing.assert_array_equal(counts[2:], [3, 2, 1, 1, 2, 3, 3, 2, 1])
    np.testing.assert_array_equal(shown[2, 0], [[True, True], [True, False]])
    np.testing.assert_array_equal(shown[5, 0], [[False, False], [False, True]])


def test_a_position_stands_for_its_rectangle_of_pixels():
    shown = np.array([[[True, False]]])
    got = np.asarray(metrics.show(np.ones((1, 2, 6, 1), np.float32), shown))
    np.testing.assert_array_equal(got[0, :, :, 0], [[1, 1, 1, 0, 0, 0]] * 2)


def test_the_same_seed_gives_the_same_curves_and_ties_go_at_random():
    flat = np.zeros((4, 4, 4))
    first = metrics.faithfulness(looks_at_the_corner, pictures(), flat, seed=1)
    again = metrics.faithfulness(looks_at_the_corner, pictures(), flat, seed=1)
    other = metrics.faithfulness(looks_at_the_corner, pictures(), flat, seed=2)
    np.testing.assert_array_equal(first.deletion, again.deletion)
    assert np.abs(first.deletion - other.deletion).max() > 1e-3


def test_ranks_are_places_in_rising_order():
    values = jnp.array([[[3.0, 1.0], [2.0, 1.0]]])
    ties = jnp.array([[[0.0, 0.9], [0.0, 0.1]]])
    np.testing.assert_array_equal(_ranks(values, ties), [[[3, 1], [2, 0]]])


def test_areas_are_of_trapezoids():
    assert metrics.area_under(np.array([1.0, 0.0])) == 0.5
    assert metrics.area_under(np.array([1.0, 0.5, 0.5])) == 0.625


def test_faithfulness_refuses_bad_input_by_name():
    with pytest.raises(ValueError, match="importance must have the 4 samples"):
        metrics.faithfulness(looks_at_the_corner, pictures(), at_corner(3))
    with pytest.raises(ValueError, match="steps must be at most the 16 positions"):
        metrics.faithfulness(looks_at_the_corner, pictures(), at_corner(), 17)
    with pytest.raises(ValueError, match="steps must be a whole number"):
        metrics.faithfulness(looks_at_the_corner, pictures(), at_corner(), 0)
    with pytest.raises(ValueError, match="images must be"):
        metrics.faithfulness(looks_at_the_corner, pictures()[0], at_corner())

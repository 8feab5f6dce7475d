"""Maps over photos: scaling, resizing, saturation and paint on known inputs."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from qpm_jax.explain import saliency as s

maps_strategy = npst.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)),
    elements=st.floats(-5, 5),
)


def test_maps_are_scaled_by_their_own_minimum_and_maximum():
    maps = np.array([[[1.0, 3.0], [2.0, 5.0]], [[-1.0, -1.0], [-1.0, -1.0]]])
    scaled = s.scale_to_unit(maps)
    np.testing.assert_allclose(scaled[0], [[0, 0.5], [0.25, 1]])
    np.testing.assert_array_equal(scaled[1], 0)


def test_resizing_interpolates_between_pixel_centres_and_repeats_edges():
    row = s.resize(np.array([[0.0, 1.0]]), 1, 4)
    np.testing.assert_allclose(row, [[0, 0.25, 0.75, 1]])


def test_resizing_to_the_same_size_changes_nothing():
    maps = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    np.testing.assert_allclose(s.resize(jnp.asarray(maps), 4, 5), maps, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(maps_strategy, st.integers(1, 9), st.integers(1, 9))
def test_resizing_never_leaves_the_range_of_the_map(maps, height, width):
    resized = s.resize(maps, height, width)
    assert resized.shape == (len(maps), height, width)
    assert resized.max() <= maps.max() + 1e-9
    assert resized.min() >= maps.min() - 1e-9


def test_resizing_rejects_impossible_sizes_and_vectors():
    with pytest.raises(ValueError, match="at least 1"):
        s.resize(np.ones((2, 2)), 0, 3)
    with pytest.raises(ValueError, match=r"\[\.\.\., h, w\]"):
        s.resize(np.ones(3), 2, 2)


def test_saturation_cubes_the_share_and_keeps_the_maximum():
    saturated = s.saturate(np.array([[0.0, 1.0, 2.0]]))
    np.testing.assert_allclose(saturated, [[0, 0.25, 2.0]])
    np.testing.assert_array_equal(s.saturate(np.zeros((2, 2))), 0)


def test_saturation_rejects_a_gamma_that_is_not_positive():
    with pytest.raises(ValueError, match="gamma is 0"):
        s.saturate(np.ones((1, 1)), gamma=0)


def test_strength_is_the_root_of_the_mean_relative_to_the_strongest_image():
    means = np.array([[4.0, 0.0, -1.0], [1.0, 0.0, 9.0]])
    strength = s.relative_strength(means, axis=0)
    np.testing.assert_allclose(strength, [[1, 0, 0], [0.5, 0, 1]])


def test_the_strongest_point_of_a_saliency_is_the_strength():
    maps = np.random.default_rng(1).random((3, 4, 4))
    shown = s.saliency_maps(maps, np.array([1.0, 0.5, 0.0]), 16, 12)
    assert shown.shape == (3, 16, 12)
    np.testing.assert_allclose(shown.max(axis=(1, 2)), [1.0, 0.5, 0.0])
    assert shown.min() >= 0


def test_greyscale_uses_the_published_weights():
    colours = np.eye(3, dtype=np.uint8)[None] * 100
    np.testing.assert_allclose(s.greyscale(colours), [[29.89, 58.70, 11.40]])


def test_without_saliency_the_overlay_is_the_grey_photo():
    image = np.full((2, 2, 3), (10, 20, 30), np.uint8)
    grey = round(0.2989 * 10 + 0.587 * 20 + 0.114 * 30)
    none = s.overlay(image, np.zeros((0, 2, 2)), np.zeros((0, 3)))
    quiet = s.overlay(image, np.zeros((1, 2, 2)), [[255, 0, 0]])
    assert (none == grey).all()
    assert (quiet == grey).all()


def test_a_full_saliency_covers_seven_tenths_in_the_features_colour():
    image = np.full((1, 1, 3), 100, np.uint8)
    painted = s.overlay(image, np.ones((1, 1, 1)), [[200, 0, 50]])
    grey = 0.9999 * 100
    expected = np.rint([0.3 * grey + 140, 0.3 * grey, 0.3 * grey + 35])
    np.testing.assert_array_equal(painted[0, 0], expected)


def test_where_features_meet_their_colours_mix_by_saliency():
    image = np.zeros((1, 1, 3), np.uint8)
    saliencies = np.array([1.0, 0.5]).reshape(2, 1, 1)
    painted = s.overlay(image, saliencies, [[150, 0, 0], [0, 0, 150]], weight=1.0)
    np.testing.assert_array_equal(painted[0, 0], [100, 0, 50])


def test_many_images_are_painted_at_once_as_one_by_one():
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    saliencies = rng.random((3, 2, 4, 5))
    colours = [[255, 0, 0], [0, 255, 0]]
    together = s.overlay(images, saliencies, colours)
    for i in range(3):
        one = s.overlay(images[i], saliencies[i], colours)
        np.testing.assert_array_equal(together[i], one)


def test_overlay_says_which_shapes_do_not_fit():
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="resize the maps first"):
        s.overlay(image, np.zeros((1, 2, 2)), [[0, 0, 0]])
    with pytest.raises(ValueError, match="weight is 2"):
        s.overlay(image, np.zeros((1, 4, 4)), [[0, 0, 0]], weight=2)

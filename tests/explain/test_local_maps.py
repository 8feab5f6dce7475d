"""Where the features of one image look: strength by contribution, a colour each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from qpm_jax.explain.colours import palette
from qpm_jax.explain.local_maps import (
    contribution_strength,
    paint_features,
    shown_size,
)
from qpm_jax.explain.saliency import greyscale

PHOTO = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
MAPS = np.random.default_rng(1).random((3, 4, 5))


def test_strength_is_the_root_of_the_contribution_relative_to_the_strongest():
    strength = contribution_strength([4.0, 1.0, 0.0, -2.0])
    np.testing.assert_allclose(strength, [1.0, 0.5, 0.0, 0.0])


def test_where_no_feature_is_active_the_colours_stay_faint():
    np.testing.assert_allclose(contribution_strength([0.25, -1.0]), [0.5, 0.0])


@settings(max_examples=25, deadline=None)
@given(npst.arrays(np.float64, st.integers(0, 6), elements=st.floats(-50, 50)))
def test_strength_lies_in_the_unit_interval_and_keeps_the_order(values):
    strength = contribution_strength(values)
    assert ((strength >= 0) & (strength <= 1)).all()
    assert (np.diff(strength[np.argsort(values)]) >= 0).all()


def test_a_feature_that_adds_nothing_leaves_the_grey_photo():
    pictures = paint_features(PHOTO, MAPS, [2.0, -1.0, 0.0, 0.0, 0.0], [[1], []])
    grey = np.rint(greyscale(PHOTO))[..., None].repeat(3, axis=-1)
    np.testing.assert_array_equal(pictures[0], grey)
    np.testing.assert_array_equal(pictures[1], grey)


def test_each_feature_is_painted_in_its_own_colour_where_its_map_peaks():
    maps = np.zeros((3, 4, 5))
    maps[0, 0, 3] = maps[2, 3, 4] = 1.0
    pictures = paint_features(
        np.zeros_like(PHOTO), maps, [0, 0, 0, 9.0, 9.0], [[3], [4]]
    )
    for picture, feature, corner in zip(
        pictures, (3, 4), ((0, 0), (-1, -1)), strict=True
    ):
        colour = np.rint(0.85 * palette(5)[feature])
        np.testing.assert_allclose(picture[corner], colour, atol=1)
    assert not pictures[0][-1, -1].any()


def test_a_group_shows_all_its_features_in_one_picture():
    values = [1.0, 2.0, 3.0, 0.5, 0.0]
    both = paint_features(PHOTO, MAPS, values, [[0, 2]])
    assert both.shape == (1, *PHOTO.shape)
    single = paint_features(PHOTO, MAPS, values, [[0], [2]])
    assert (both[0] != single[0]).any()
    assert (both[0] != single[1]).any()


def test_maps_of_other_features_are_refused():
    with pytest.raises(ValueError, match=r"need \[h, w, 4\]"):
        paint_features(PHOTO, MAPS, np.ones(4), [[0]])


def test_a_stretched_photo_is_shown_as_it_was_taken_and_a_cropped_one_as_cropped():
    assert shown_size((300, 600), (64, 64), "stretch", 448) == (224, 448)
    assert shown_size((300, 600), (64, 64), "centre_crop", 448) == (448, 448)
    assert shown_size((1, 5000), (64, 64), "stretch", 448) == (1, 448)

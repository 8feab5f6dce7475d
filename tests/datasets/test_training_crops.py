"""Parts of photos drawn for training: of the right size, from the right places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.datasets.training_crops import random_resized_box, training_crop


def _ramp(height, width):
    """Red grows to the right, green downwards: a crop shows where it was cut."""
    pixels = np.full((height, width, 3), 1, np.uint8)
    pixels[..., 0] = np.arange(1, width + 1)
    pixels[..., 1] = np.arange(1, height + 1)[:, None]
    return pixels


def _random(seed):
    return np.random.default_rng(seed)


def test_a_photo_of_the_right_height_is_cut_at_every_place_along_its_width():
    photo = _ramp(8, 12)
    crops = [training_crop(photo, (8, 8), "random", 0, _random(s)) for s in range(60)]
    starts = {int(crop[0, 0, 0]) for crop in crops}
    assert starts == {1, 2, 3, 4, 5}
    for crop in crops:
        left = int(crop[0, 0, 0]) - 1
        np.testing.assert_array_equal(crop, photo[:, left : left + 8])


def test_a_black_border_may_be_cut_into_on_every_side():
    crops = [
        training_crop(_ramp(8, 8), (8, 8), "random", 2, _random(seed))
        for seed in range(80)
    ]
    shown = np.stack(crops)[..., 2] > 0
    assert {int(rows.sum()) for rows in shown.any(axis=2)} == {6, 7, 8}
    sides = [shown[:, 0], shown[:, -1], shown[:, :, 0], shown[:, :, -1]]
    assert all((~side.any(axis=1)).any() for side in sides)


def test_the_shorter_side_is_resized_first():
    crop = training_crop(_ramp(16, 32), (8, 8), "random", 0, _random(0))
    assert crop.shape == (8, 8, 3)
    assert (crop[0, 0, 1], crop[-1, 0, 1]) == (2, 15)  # all rows of the photo are seen


def test_the_same_draw_gives_the_same_part():
    photo = _ramp(30, 50)
    for crop in ("random", "random_resized"):
        one, other = (
            training_crop(photo, (8, 9), crop, 1, _random([3, 5])) for _ in range(2)
        )
        assert one.shape == (8, 9, 3)
        np.testing.assert_array_equal(one, other)


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 200), width=st.integers(1, 200), seed=st.integers(0, 10**6)
)
def test_a_resized_part_lies_inside_the_photo(height, width, seed):
    left, top, right, bottom = random_resized_box((height, width), _random(seed))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_resized_parts_have_the_published_areas_and_shapes():
    random = _random(0)
    boxes = np.array([random_resized_box((200, 200), random) for _ in range(2000)])
    across, down = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    shares, aspects = across * down / 200**2, across / down
    assert shares.min() == pytest.approx(0.08, abs=0.01)
    assert shares.max() > 0.95
    assert np.median(np.log(aspects)) == pytest.approx(0, abs=0.03)
    assert (aspects.min(), aspects.max()) == pytest.approx((3 / 4, 4 / 3), abs=0.03)


def test_of_a_long_strip_the_middle_is_taken():
    left, top, right, bottom = random_resized_box((10, 1000), _random(1))
    assert (top, bottom) == (0, 10)
    assert (left + right) / 2 == pytest.approx(500, abs=1)


def test_an_unknown_crop_is_refused():
    with pytest.raises(ValueError, match="crop must be one of random, random_resized"):
        training_crop(_ramp(4, 4), (2, 2), "centre", 0, _random(0))

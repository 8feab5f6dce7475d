"""Data sets by name: what is there, what is nearly there, which options each takes."""

import inspect

import numpy as np
import pytest

from qpm_jax import datasets


def test_the_names_are_sorted_and_hold_the_built_in_set():
    assert list(datasets.names()) == sorted(datasets.names())
    assert {"birds", "cub", "cub50", "digits", "folder"} <= set(datasets.names())


def test_digits_come_as_rgb_with_a_quarter_of_each_class_held_back():
    digits = datasets.load("digits")
    assert digits.train.images.shape == (1347, 32, 32, 3)
    assert digits.test.images.shape == (450, 32, 32, 3)
    assert digits.train.images.max() == 255
    shares = np.bincount(digits.test.labels) / (
        np.bincount(digits.train.labels) + np.bincount(digits.test.labels)
    )
    np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_digits_keep_their_eight_pixels_where_asked():
    digits = datasets.load("digits", image_size=8)
    assert digits.image_size == (8, 8)
    assert set(np.unique(digits.train.images)) == {
        round(v * 255 / 16) for v in range(17)
    }


def test_digits_cannot_be_shrunk():
    with pytest.raises(ValueError, match="at least 8, got 4"):
        datasets.load("digits", image_size=4)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ValueError, match=r"'digit'; did you mean digits\?.*birds"):
        datasets.load("digit")


def test_a_name_like_no_other_offers_the_list():
    with pytest.raises(ValueError, match=r"unknown data set 'zzz' \(there are: birds"):
        datasets.load("zzz")


def test_an_unknown_option_names_the_allowed_ones():
    with pytest.raises(ValueError, match="no option size; allowed: image_size, test_"):
        datasets.load("digits", size=3)


def test_a_missing_option_is_named():
    with pytest.raises(ValueError, match="needs the option root"):
        datasets.load("folder")


def test_options_show_the_defaults_and_the_presets():
    assert datasets.options("cub50")["classes"] == 50
    assert datasets.options("cub")["classes"] is None
    assert datasets.options("folder")["root"] is inspect.Parameter.empty

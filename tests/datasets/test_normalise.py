"""Colour statistics are exact, and normalising by them gives mean 0 and std 1."""

import numpy as np
import pytest

from qpm_jax.datasets import Split, channel_statistics, normalise


def _images(count=600):
    random = np.random.default_rng(0)
    return (random.random((count, 4, 5, 3)) * [256, 100, 30]).astype(np.uint8)


def _split(images):
    return Split(images, np.zeros(len(images), int))


def test_the_statistics_are_those_of_all_pixels():
    mean, std = channel_statistics(_split(_images()))
    pixels = _images().reshape(-1, 3) / 255
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=1e-12)


def test_images_of_different_sizes_count_by_their_pixels():
    images = [np.full((1, 3, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)]
    mean, _ = channel_statistics(_split(images))
    assert mean == (0.75, 0.75, 0.75)


def test_some_evenly_spread_images_will_do():
    images = np.zeros((5, 1, 1, 3), np.uint8)
    images[[0, 2, 4]] = 255
    assert channel_statistics(_split(images), max_images=3)[0] == (1, 1, 1)


def test_a_channel_that_never_changes_can_be_divided_by():
    assert channel_statistics(_split(np.zeros((2, 1, 1, 3), np.uint8)))[1] == (1, 1, 1)


def test_normalised_images_have_mean_0_and_std_1():
    normal = normalise(_images(), *channel_statistics(_split(_images())))
    assert normal.dtype == np.float32
    np.testing.assert_allclose(normal.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normal.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_bytes_and_fractions_normalise_alike():
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    fractions = (_images() / 255).astype(np.float32)
    np.testing.assert_allclose(
        normalise(_images(), mean, std), normalise(fractions, mean, std), atol=1e-6
    )


def test_other_numbers_are_refused():
    with pytest.raises(ValueError, match="got int32"):
        normalise(_images().astype(np.int32), (0, 0, 0), (1, 1, 1))


def test_an_empty_split_and_no_images_are_refused():
    with pytest.raises(ValueError, match="no images"):
        channel_statistics(_split(_images(0)))
    with pytest.raises(ValueError, match="max_images must be at least 1"):
        channel_statistics(_split(_images(2)), max_images=0)

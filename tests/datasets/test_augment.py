"""Augmentation: deterministic from its key, in range, and each change what it says."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from qpm_jax.datasets import AugmentationPolicy, colour, warp
from qpm_jax.datasets.augment import augment as plain_augment
from qpm_jax.datasets.augment import random_erasing

OFF = AugmentationPolicy(flip=False, crop_padding=0, jitter=0.0)
KEY = jax.random.key(0)

augment = jax.jit(plain_augment, static_argnums=2)
blend_colours = jax.jit(colour.blend_colours)
inverse_affine = jax.jit(warp.inverse_affine)
warp_bilinear = jax.jit(warp.warp_bilinear)
warp_nearest = jax.jit(warp.warp_nearest)


def _images(count=8, height=12, width=16):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, height, width, 3)).astype(np.float32) / 255


def test_a_policy_of_nothing_changes_nothing():
    np.testing.assert_array_equal(plain_augment(KEY, _images(), OFF), _images())


def test_the_same_key_gives_the_same_images():
    policy = AugmentationPolicy()
    one, other = (augment(jax.random.key(7), _images(), policy) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_it_works_outside_jit_as_well():
    policy = AugmentationPolicy(flip=False, crop_padding=0, jitter=0.2)
    plain = plain_augment(KEY, _images(), policy)
    np.testing.assert_allclose(plain, augment(KEY, _images(), policy), atol=1e-6)


def test_everything_at_once_keeps_shape_type_and_range():
    policy = AugmentationPolicy(
        rotation=10, scale=0.1, trivial_augment=True, erasing=0.5
    )
    changed = augment(KEY, _images(), policy)
    assert changed.shape == _images().shape
    assert changed.dtype == jnp.float32
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1


def test_another_key_gives_other_images():
    policy = AugmentationPolicy()
    one, other = (augment(jax.random.key(k), _images(), policy) for k in (0, 1))
    assert float(jnp.abs(one - other).max()) > 0.1


def test_flipped_images_are_mirrored_or_not():
    policy = AugmentationPolicy(flip=True, crop_padding=0, jitter=0.0)
    images = _images(64)
    flipped = np.asarray(augment(KEY, images, policy))
    pairs = list(zip(flipped, images, strict=True))
    mirrored = np.array([np.array_equal(a, b[:, ::-1]) for a, b in pairs])
    same = np.array([np.array_equal(a, b) for a, b in pairs])
    assert (mirrored ^ same).all()
    assert 16 < mirrored.sum() < 48


def test_shifted_images_are_crops_of_the_padded_image():
    policy = AugmentationPolicy(flip=False, crop_padding=2, jitter=0.0)
    images = _images(32)
    shifted = np.asarray(augment(KEY, images, policy))
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    places, matched = set(), np.zeros(32, bool)
    for row in range(5):
        for column in range(5):
            crops = padded[:, row : row + 12, column : column + 16]
            equal = (crops == shifted).all(axis=(1, 2, 3))
            matched |= equal
            if equal.any():
                places.add((row, column))
    assert matched.all()
    assert len(places) > 8


def _enhanced(image, kind, factor):
    picture = Image.fromarray(np.round(image * 255).astype(np.uint8))
    return np.asarray(kind(picture).enhance(factor)) / 255


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.7])
@pytest.mark.parametrize(
    ("position", "kind"),
    [(0, ImageEnhance.Brightness), (1, ImageEnhance.Contrast), (2, ImageEnhance.Color)],
)
def test_each_colour_change_is_what_pil_does(position, kind, factor):
    factors = [jnp.ones(1)] * 3
    factors[position] = jnp.full(1, factor)
    changed = blend_colours(_images(1), *factors)[0]
    expected = _enhanced(_images(1)[0], kind, factor)
    np.testing.assert_allclose(changed, expected, atol=2.1 / 255)


def test_the_colour_changes_commute_where_nothing_is_cut_off():
    images = 0.4 + 0.2 * _images()
    one = jnp.ones(len(images))
    steps = [(1.1 * one, one, one), (one, 0.9 * one, one), (one, one, 1.1 * one)]
    together = blend_colours(images, 1.1 * one, 0.9 * one, 1.1 * one)
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        changed = images
        for index in order:
            changed = blend_colours(changed, *steps[index])
        np.testing.assert_allclose(changed, together, atol=1e-5)


def test_jitter_stays_within_its_strength():
    policy = AugmentationPolicy(flip=False, crop_padding=0, jitter=0.1)
    grey = jnp.full((50, 3, 3, 3), 0.5)
    changed = np.asarray(augment(KEY, grey, policy))
    assert changed.min() >= 0.45 - 1e-6
    assert changed.max() <= 0.55 + 1e-6
    assert changed[:, 0, 0, 0].std() > 0.01


def test_warping_by_nothing_changes_nothing():
    matrices = inverse_affine(angle=jnp.zeros(8))
    np.testing.assert_allclose(warp_bilinear(_images(), matrices), _images(), atol=1e-6)
    np.testing.assert_array_equal(warp_nearest(_images(), matrices), _images())


@pytest.mark.parametrize("warp", [warp_bilinear, warp_nearest])
def test_a_quarter_turn_is_counter_clockwise(warp):
    images = _images(2, 9, 9)
    turned = warp(images, inverse_affine(angle=jnp.full(2, jnp.pi / 2)))
    np.testing.assert_allclose(turned, np.rot90(images, axes=(1, 2)), atol=1e-4)


def test_a_shift_is_to_the_right_and_down():
    shifted = warp_nearest(_images(1), inverse_affine(shift=(jnp.array([3.0]), 2.0)))
    np.testing.assert_array_equal(shifted[:, 2:, 3:], _images(1)[:, :-2, :-3])
    np.testing.assert_array_equal(shifted[:, :2], 0)


def test_scaling_by_two_shows_the_middle_twice_as_large():
    image = jnp.zeros((1, 8, 8, 3)).at[:, 2:6, 2:6].set(1.0)
    enlarged = warp_nearest(image, inverse_affine(scale=jnp.array([2.0])))
    np.testing.assert_array_equal(enlarged, 1)


def test_rotation_and_scale_leave_an_even_image_even():
    policy = AugmentationPolicy(False, 0, 0.0, rotation=45, scale=0.3)
    even = jnp.full((4, 8, 8, 3), 0.3)
    np.testing.assert_allclose(augment(KEY, even, policy), 0.3, atol=1e-6)


def test_erasing_covers_a_rectangle_with_the_mean_colour():
    images = jnp.asarray(_images(40))
    erased = np.asarray(jax.jit(random_erasing)(KEY, images, 0.5))
    changed = (erased != images).any(axis=-1)
    touched = changed.any(axis=(1, 2))
    assert 8 < touched.sum() < 32
    mean = np.asarray(images.mean(axis=(1, 2)))
    for index in np.flatnonzero(touched):
        np.testing.assert_allclose(
            erased[index][changed[index]] - mean[index], 0, atol=1e-6
        )
        rows, columns = changed[index].any(axis=1), changed[index].any(axis=0)
        assert changed[index].sum() == rows.sum() * columns.sum()


def test_it_can_be_mapped_over_keys():
    policy = AugmentationPolicy()
    keys = jax.random.split(KEY, 2)
    mapped = jax.jit(jax.vmap(partial(plain_augment, policy=policy), (0, None)))
    np.testing.assert_allclose(
        mapped(keys, _images())[1], augment(keys[1], _images(), policy), atol=1e-6
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop_padding": -1}, "crop_padding must be 0"),
        ({"crop_padding": 1.5}, "whole number"),
        ({"jitter": 1.5}, "jitter must be 0"),
        ({"rotation": 181}, "rotation must be 0"),
        ({"scale": 1.0}, "scale must be 0"),
        ({"erasing": float("nan")}, "erasing must be 0"),
    ],
)
def test_a_policy_out_of_range_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        AugmentationPolicy(**values)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8, 3), np.uint8), "float in .* got uint8"),
        (np.zeros((8, 8, 3), np.float32), r"\[N,H,W,3\], got \[8, 8, 3\]"),
        (np.zeros((2, 4, 8, 3), np.float32), "must be smaller than the images of 4x8"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        plain_augment(KEY, images, AugmentationPolicy())


def test_light_moves_all_pixels_of_an_image_alike():
    images = 0.3 + 0.4 * _images()
    policy = AugmentationPolicy(flip=False, crop_padding=0, jitter=0, lighting=0.05)
    added = np.asarray(augment(KEY, images, policy)) - images
    np.testing.assert_allclose(
        added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-6
    )
    assert np.unique(added[:, 0, 0, 0].round(5)).size == len(images)


def test_light_is_mostly_grey_and_as_strong_as_published():
    images = np.full((4000, 1, 1, 3), 0.5, np.float32)
    light = np.asarray(colour.principal_light(KEY, images, 0.1))[:, 0, 0] - 0.5
    spread, directions = np.linalg.eigh(np.cov(light.T))
    np.testing.assert_allclose(
        np.sqrt(spread[::-1]), [0.02175, 0.00188, 0.00045], rtol=0.05
    )
    np.testing.assert_allclose(np.abs(directions[:, 2]), 0.577, atol=0.02)


def test_images_cut_while_they_were_read_are_not_shifted_again():
    policy = AugmentationPolicy(flip=False, jitter=0, crop="random", crop_padding=4)
    np.testing.assert_array_equal(plain_augment(KEY, _images(), policy), _images())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop": "middle"}, "crop must be one of none, random, random_resized"),
        ({"crop": "random_resized"}, "crop_padding must be 0 with the crop random_res"),
        ({"lighting": -0.1}, r"lighting must be 0 \(off\) to 1"),
    ],
)
def test_crops_and_light_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        AugmentationPolicy(**values)

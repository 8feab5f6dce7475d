"""Each operation of TrivialAugmentWide does what PIL does to 8-bit images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from qpm_jax.datasets.trivial_augment import (
    OPERATIONS,
    apply_operations,
    equalize,
    trivial_augment_wide,
)

LEVEL = 1 / 255


def _picture(height=40, width=48):
    random = np.random.default_rng(0)
    noise = random.normal(0, 12, (height, width, 3))
    slope = np.linspace(30, 190, width)[None, :, None] + [0, 20, 40]
    return np.clip(noise + slope, 0, 255).astype(np.uint8)


@jax.jit
def _apply(images, operation, strength, sign):
    return apply_operations(images, operation, strength, sign)


def _changed(name, strength, sign=1.0):
    images = jnp.asarray(_picture()[None] / 255, jnp.float32)
    operation = jnp.array([OPERATIONS.index(name)])
    return np.asarray(
        _apply(images, operation, jnp.array([strength]), jnp.array([sign]))
    )[0]


def _pil(change):
    return np.asarray(change(Image.fromarray(_picture()))) / 255


def test_identity_changes_nothing():
    np.testing.assert_allclose(_changed("identity", 0.7), _picture() / 255, atol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("name", "enhancer"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
        ("sharpness", ImageEnhance.Sharpness),
    ],
)
def test_enhancements_are_those_of_pil(name, enhancer, strength, sign):
    expected = _pil(lambda p: enhancer(p).enhance(1 + 0.99 * strength * sign))
    np.testing.assert_allclose(
        _changed(name, strength, sign), expected, atol=2.1 * LEVEL
    )


@pytest.mark.parametrize(("strength", "bits"), [(0.0, 8), (0.5, 5), (1.0, 2)])
def test_posterize_keeps_the_leading_bits(strength, bits):
    expected = _pil(lambda p: ImageOps.posterize(p, bits))
    np.testing.assert_allclose(_changed("posterize", strength), expected, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_solarize_inverts_from_the_threshold_on(strength):
    expected = _pil(lambda p: ImageOps.solarize(p, 255 * (1 - strength)))
    np.testing.assert_allclose(_changed("solarize", strength), expected, atol=1e-6)


def test_autocontrast_is_that_of_pil():
    expected = _pil(ImageOps.autocontrast)
    np.testing.assert_allclose(_changed("autocontrast", 0), expected, atol=1.1 * LEVEL)


def test_equalize_is_that_of_pil():
    np.testing.assert_allclose(
        _changed("equalize", 0), _pil(ImageOps.equalize), atol=1e-6
    )


def test_equalize_leaves_an_image_of_one_colour():
    even = jnp.full((1, 6, 6, 3), 100 / 255)
    np.testing.assert_allclose(jax.jit(equalize)(even), even, atol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(
    ("name", "coefficients"),
    [
        ("shear_x", lambda s: (1, 0.99 * s, 0, 0, 1, 0)),
        ("shear_y", lambda s: (1, 0, 0, 0.99 * s, 1, 0)),
        ("translate_x", lambda s: (1, 0, -int(32 * s), 0, 1, 0)),
        ("translate_y", lambda s: (1, 0, 0, 0, 1, -int(32 * s))),
    ],
)
def test_moves_are_affine_maps_from_the_corner(name, coefficients, strength, sign):
    expected = _pil(
        lambda p: p.transform(
            p.size, Image.Transform.AFFINE, coefficients(strength * sign)
        )
    )
    _assert_same_but_for_ties(_changed(name, strength, sign), expected)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_rotation_is_by_up_to_135_degrees(strength, sign):
    expected = _pil(lambda p: p.rotate(135 * strength * sign))
    _assert_same_but_for_ties(_changed("rotate", strength, sign), expected)


def _assert_same_but_for_ties(changed, expected):
    # a pixel read from between two may go to either
    differs = (np.abs(changed - expected) > 1e-6).any(axis=-1)
    assert differs.mean() < 0.02


def test_every_operation_is_drawn_and_the_range_is_kept():
    images = jnp.tile(
        jnp.asarray(_picture(16, 16)[None] / 255, jnp.float32), (200, 1, 1, 1)
    )
    changed = np.asarray(jax.jit(trivial_augment_wide)(jax.random.key(0), images))
    assert changed.min() >= 0
    assert changed.max() <= 1
    kinds = {image.tobytes() for image in changed}
    assert len(kinds) > 60

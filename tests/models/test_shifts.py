"""Finer maps from shifted copies: the plain maps, and those between them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.models import shifts
from qpm_jax.models.efficientnet_lite import EfficientNetLite
from qpm_jax.models.mobilenet_v2 import MobileNetV2Folded

# Stride 4 in all; the stage whose stride is reduced is followed by another.
LITE_STAGES = ((2, 8, 2, 2, 5), (2, 6, 1, 1, 3))
MOBILE_STAGES = ((2, 8, 2, 2), (2, 6, 1, 1))


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (1, 1)])
def test_every_second_pixel_of_the_copies_interleaves_to_the_input(size):
    inputs = np.random.default_rng(0).normal(size=(3, *size, 4)).astype(np.float32)
    halves = shifts.shifted_copies(jnp.asarray(inputs))[:, ::2, ::2]
    np.testing.assert_array_equal(shifts.interleaved(halves, *size), inputs)


@pytest.mark.parametrize(
    ("plain", "fine"),
    [
        (
            EfficientNetLite(LITE_STAGES, 12),
            EfficientNetLite(LITE_STAGES, 12, reduced_strides=True),
        ),
        (
            MobileNetV2Folded(MOBILE_STAGES, 12),
            MobileNetV2Folded(MOBILE_STAGES, 12, reduced_strides=True),
        ),
    ],
)
def test_finer_maps_hold_the_plain_ones_with_the_same_weights(
    plain, fine, random_variables
):
    images = np.random.default_rng(1).normal(size=(2, 18, 14, 3)).astype(np.float32)
    variables = random_variables(plain, images.shape)
    same = random_variables(fine, images.shape)
    assert jax.tree.map(np.shape, variables) == jax.tree.map(np.shape, same)
    coarse = jax.jit(plain.apply)(variables, images)
    maps = jax.jit(fine.apply)(variables, images)
    assert coarse.shape == (2, 5, 4, 12)
    assert maps.shape == (2, 9, 7, 12)
    np.testing.assert_allclose(maps[:, ::2, ::2], coarse, rtol=1e-5, atol=1e-6)


def test_a_position_between_two_is_the_plain_one_of_the_shifted_photo(random_variables):
    """Away from the borders, where zeros enter differently."""
    plain = MobileNetV2Folded(MOBILE_STAGES, 12)
    fine = MobileNetV2Folded(MOBILE_STAGES, 12, reduced_strides=True)
    images = np.random.default_rng(2).normal(size=(1, 64, 64, 3)).astype(np.float32)
    variables = random_variables(plain, images.shape)
    shifted = jax.jit(plain.apply)(variables, np.roll(images, -2, axis=1))
    maps = jax.jit(fine.apply)(variables, images)
    middle = slice(4, 12)
    np.testing.assert_allclose(
        maps[:, 1::2, ::2][:, middle, middle],
        shifted[:, middle, middle],
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2_tf"])
def test_reduced_strides_give_14_by_14_maps_of_a_224_pixel_photo(name):
    module = models.create(name, 5, reduced_strides=True)
    image = jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.float32)
    (_, features, maps), _ = jax.eval_shape(
        lambda image: module.init_with_output(jax.random.key(0), image), image
    )
    assert maps.shape == (1, 14, 14, 1280)
    assert features.shape == (1, 1280)

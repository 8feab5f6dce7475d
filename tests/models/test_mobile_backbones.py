"""EfficientNet-Lite and the folded MobileNetV2 on tiny inputs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.efficientnet_lite import EfficientNetLite
from qpm_jax.models.inverted_residual import InvertedResidual
from qpm_jax.models.mobilenet_v2 import FoldedInvertedResidual, MobileNetV2Folded
from qpm_jax.models.mobilenet_v2_torch import MobileNetV2

TINY_LITE = EfficientNetLite(stages=((2, 8, 1, 2, 3),), num_features=12)
TINY_MOBILENET = MobileNetV2Folded(stages=((2, 8, 1, 2),), num_features=12)
TINY_TORCH = MobileNetV2(stages=((2, 8, 1, 2),), num_features=12)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2_tf"])
def test_a_224_pixel_photo_gives_7_by_7_maps_of_1280_features(name):
    module = models.create(name, 5)
    image = jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.float32)
    (logits, features, maps), variables = jax.eval_shape(
        lambda image: module.init_with_output(jax.random.key(0), image), image
    )
    assert logits.shape == (1, 5)
    assert features.shape == (1, models.specification(name).num_features) == (1, 1280)
    assert maps.shape == (1, 7, 7, 1280)
    assert set(variables["params"]) == {"backbone", "head"}


@pytest.mark.parametrize("backbone", [TINY_LITE, TINY_MOBILENET])
def test_maps_are_non_negative_and_every_weight_learns(backbone, random_variables):
    images = np.random.default_rng(1).normal(size=(2, 9, 9, 3)).astype(np.float32)
    variables = random_variables(backbone, images.shape)

    def score(params):
        maps, _ = backbone.apply(
            {**variables, "params": params}, images, True, mutable=["batch_stats"]
        )
        return jnp.sum(jnp.sin(jnp.arange(maps.size)) * maps.ravel()), maps

    gradients, maps = jax.jit(jax.grad(score, has_aux=True))(variables["params"])
    assert maps.shape == (2, 3, 3, 12)
    assert maps.min() >= 0
    assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(gradients))


@pytest.mark.parametrize("backbone", [TINY_LITE, TINY_MOBILENET, TINY_TORCH])
def test_unbounded_maps_are_the_maps_before_their_bound(backbone, random_variables):
    images = np.random.default_rng(1).normal(size=(2, 9, 9, 3)).astype(np.float32)
    variables = random_variables(backbone, images.shape)
    larger = {**variables, "params": jax.tree.map(lambda w: 3 * w, variables["params"])}
    maps = backbone.clone(unbounded_maps=True).apply(larger, images)
    assert maps.max() > 6
    np.testing.assert_array_equal(
        backbone.apply(larger, images), np.minimum(maps, np.float32(6))
    )


@pytest.mark.parametrize("reduced_strides", [False, True])
def test_the_catalogue_takes_the_bound_of_the_mobile_networks_away(reduced_strides):
    bounded = ("efficientnet_lite0", "mobilenet_v2", "mobilenet_v2_tf")
    for name in bounded:
        network = models.create(name, 5, reduced_strides, unbounded_maps=True)
        assert network.backbone.unbounded_maps
        assert network.backbone.reduced_strides == reduced_strides
        assert not models.create(name, 5, reduced_strides).backbone.unbounded_maps
    with pytest.raises(ValueError, match=rf"'resnet50' have no.*{', '.join(bounded)}"):
        models.create("resnet50", 5, reduced_strides, unbounded_maps=True)


def test_lite0_keeps_running_statistics_as_its_original(random_variables):
    images = np.random.default_rng(1).normal(size=(2, 9, 9, 3)).astype(np.float32)
    variables = random_variables(TINY_LITE, images.shape)
    _, updated = TINY_LITE.apply(
        variables,
        images,
        True,
        mutable=["batch_stats", "intermediates"],
        capture_intermediates=lambda module, _: module.name == "stem",
    )
    stem = np.asarray(updated["intermediates"]["stem"]["__call__"][0])
    old, new = (v["batch_stats"]["stem_norm"] for v in (variables, updated))
    expected = 0.99 * old["mean"] + 0.01 * stem.mean((0, 1, 2))
    np.testing.assert_allclose(new["mean"], expected, rtol=1e-4, atol=1e-6)
    expected = 0.99 * old["var"] + 0.01 * stem.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(new["var"], expected, rtol=1e-5)


def normalised_block(features, expansion, stride):
    def normalise(name, train):
        return functools.partial(BatchNorm(name=name), train=train)

    return InvertedResidual(features, expansion, normalise, stride)


@pytest.mark.parametrize("block", [normalised_block, FoldedInvertedResidual])
def test_a_block_adds_its_input_only_where_the_shapes_agree(block, random_variables):
    inputs = np.random.default_rng(1).normal(size=(1, 4, 4, 6)).astype(np.float32)

    def with_silent_projection(features, stride):
        module = block(features, expansion=2, stride=stride)
        variables = random_variables(module, inputs.shape)
        for part in ("project", "project_norm"):
            silent = jax.tree.map(jnp.zeros_like, variables["params"].get(part, {}))
            variables["params"][part] = silent
        return jax.jit(module.apply)(variables, inputs)

    np.testing.assert_array_equal(with_silent_projection(6, 1), inputs)
    assert not np.any(with_silent_projection(6, 2))
    assert not np.any(with_silent_projection(5, 1))


@pytest.mark.parametrize(
    ("name", "center"), [("efficientnet_lite0", 127), ("mobilenet_v2_tf", 128)]
)
def test_the_specified_mean_and_std_give_the_input_the_weights_expect(name, center):
    pixels = np.arange(256.0)
    found = models.specification(name)
    np.testing.assert_allclose(
        (pixels / 255 - found.mean[0]) / found.std[0],
        (pixels - center) / 128,
        atol=1e-12,
    )
    assert found.pretrained

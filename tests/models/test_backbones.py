"""Map sizes, strides and the parts the published backbones are made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.models import windows
from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.bicubic import interpolation_weights, resize_bicubic
from qpm_jax.models.convnext import ConvNeXt
from qpm_jax.models.mobilenet_v2_torch import MobileNetV2
from qpm_jax.models.resnet import Bottleneck, ResNet
from qpm_jax.models.swin import Swin
from qpm_jax.models.vit import VisionTransformer


@pytest.mark.parametrize(
    ("name", "reduced_strides", "side"),
    [
        ("resnet50", True, 28),
        ("mobilenet_v2", True, 14),
        ("convnext_t", True, 14),
        ("swin_t", False, 7),
        ("swin_t", True, 14),
        ("vit_s_14_dinov2", False, 16),
    ],
)
def test_maps_of_a_224_pixel_photo(name, reduced_strides, side):
    module = models.create(name, 5, reduced_strides=reduced_strides)
    image = jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.float32)
    _, _, maps = jax.eval_shape(
        lambda image: module.init_with_output(jax.random.key(0), image)[0], image
    )
    assert maps.shape == (1, side, side, models.specification(name).num_features)


TINY = {
    "resnet": (ResNet(Bottleneck, (1, 0, 0, 0)), 32),
    "convnext": (ConvNeXt(depths=(0, 1), widths=(8, 12)), 16),
    "swin": (Swin(depths=(2, 0, 0, 0), width=24), 32),
    "vit": (VisionTransformer(12, 2, depth=1), 28),
    "mobilenet": (MobileNetV2(((2, 8, 2, 2),), 12), 16),
}


@pytest.mark.parametrize("kind", TINY)
def test_every_weight_learns(kind, random_variables):
    backbone, side = TINY[kind]
    images = np.random.default_rng(1).normal(size=(2, side, side, 3))
    images = images.astype(np.float32)
    variables = random_variables(backbone, images.shape)

    def score(params):
        maps, updated = backbone.apply(
            {**variables, "params": params}, images, True, mutable=["batch_stats"]
        )
        return jnp.sum(jnp.sin(jnp.arange(maps.size)) * maps.ravel()), (maps, updated)

    gradients, (maps, updated) = jax.jit(
        jax.grad(score, has_aux=True),
        compiler_options={"xla_backend_optimization_level": 0},
    )(variables["params"])
    assert maps.min() >= 0
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients):
        assert np.isfinite(leaf).all()
        assert np.any(leaf != 0), jax.tree_util.keystr(path)
    statistics = variables.get("batch_stats", {})
    changed = jax.tree.map(np.array_equal, statistics, updated.get("batch_stats", {}))
    assert not any(jax.tree.leaves(changed))


def test_strides_that_are_not_there_cannot_be_reduced():
    with pytest.raises(ValueError, match=r"'vit_s_14_dinov2' has no strides.*resnet50"):
        models.create("vit_s_14_dinov2", 5, reduced_strides=True)


def test_images_that_patches_do_not_tile_are_refused():
    image = jax.ShapeDtypeStruct((1, 224, 230, 3), jnp.float32)
    with pytest.raises(ValueError, match=r"224×230.*such as 224×224 or 238×238"):
        jax.eval_shape(VisionTransformer(12, 2, 1).init, jax.random.key(0), image)


def test_the_running_variance_is_the_unbiased_one(random_variables):
    maps = np.random.default_rng(0).normal(2, 3, (2, 3, 2, 4)).astype(np.float32)
    module = BatchNorm()
    variables = random_variables(module, maps.shape)
    variables = jax.tree.map(jnp.asarray, variables)
    outputs, updated = module.apply(variables, maps, True, mutable=["batch_stats"])
    np.testing.assert_allclose(
        outputs.mean((0, 1, 2)), variables["params"]["bias"], atol=1e-5
    )
    old, new = variables["batch_stats"], updated["batch_stats"]
    np.testing.assert_allclose(
        new["var"], 0.9 * old["var"] + 0.1 * maps.var((0, 1, 2), ddof=1), rtol=1e-4
    )
    np.testing.assert_allclose(
        new["mean"], 0.9 * old["mean"] + 0.1 * maps.mean((0, 1, 2)), rtol=1e-4
    )
    same = module.apply(variables, maps)
    expected = (maps - old["mean"]) / np.sqrt(old["var"] + 1e-5)
    expected = expected * variables["params"]["scale"] + variables["params"]["bias"]
    np.testing.assert_allclose(same, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("old", "new"), [(37, 16), (5, 9), (4, 4)])
def test_bicubic_keeps_constants_everywhere_and_slopes_inside(old, new):
    weights = interpolation_weights(old, new)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    inside = slice(new // 3, 2 * new // 3)
    centers = ((np.arange(new) + 0.5) * old / new - 0.5)[inside]
    slope = (weights @ np.arange(old))[inside]
    # With a = −0.75 a slope comes back to a twentieth, as it does in PyTorch.
    np.testing.assert_allclose(slope, centers, atol=0.05)


def test_a_grid_of_the_same_size_is_returned_as_it_is():
    grid = jnp.asarray(np.random.default_rng(0).normal(size=(4, 5, 3)))
    assert resize_bicubic(grid, 4, 5) is grid
    assert resize_bicubic(grid, 2, 3).shape == (2, 3, 3)


def test_windows_go_back_to_where_they_came_from():
    maps = jnp.arange(2 * 6 * 4 * 3.0).reshape(2, 6, 4, 3)
    cut = windows.to_windows(maps, 2)
    assert cut.shape == (12, 4, 3)
    np.testing.assert_array_equal(cut[1, 0], maps[0, 0, 2])
    np.testing.assert_array_equal(windows.from_windows(cut, 2, 6, 4), maps)


def test_positions_at_the_same_offset_share_a_bias():
    index = windows.relative_positions(3)
    assert index.shape == (9, 9)
    assert set(np.diag(index)) == {12}
    assert index[0, 4] == index[4, 8]
    assert len(np.unique(index)) == 25


def test_only_former_neighbours_attend_to_each_other():
    """A 4×4 map in windows of 2, rolled by 1: the border's windows mix two sides."""
    apart = windows.separations(4, 4, 2, [1, 1])
    assert apart.shape == (4, 4, 4)
    assert not apart[0].any()  # nothing came around the border
    np.testing.assert_array_equal(apart[1][0], [0, -100, 0, -100])  # left and right
    np.testing.assert_array_equal(apart[2][0], [0, 0, -100, -100])  # above and below
    np.testing.assert_array_equal(apart[3][0], [0, -100, -100, -100])
    one_axis = windows.separations(2, 4, 2, [0, 1])
    np.testing.assert_array_equal(one_axis[1][0], [0, -100, 0, -100])

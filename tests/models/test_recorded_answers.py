"""What the PyTorch originals answered for weights made by a rule, recorded.

torchvision 0.28.0; DINOv2 of transformers 5.23.0; EfficientNet-Lite0 of
efficientnet-lite-pytorch 0.1.0. The tests named *_parity compare maps and features too,
and the larger networks, where PyTorch is installed.
"""

import jax
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.models.conversion import shapes_in_file, to_arrays
from qpm_jax.models.namings import TORCH

# Logits of the first image for five classes, after the ReLU that QPM adds.
RECORDED = {
    "resnet18": ((2, 64, 48), [0.05284, 0.32695, -1.38828, -0.08426, -0.14524]),
    "resnet34": ((2, 64, 48), [0.69757, 0.54505, -2.23402, 1.45596, 0.06696]),
    "resnet50": ((2, 64, 48), [0.2409, -0.9472, 0.84042, 1.08459, -0.76061]),
    "mobilenet_v2": ((2, 64, 96), [-0.00975, 0.20271, 0.03158, 0.21964, 0.11404]),
    "efficientnet_lite0": (
        (2, 64, 96),
        [-0.07195, -0.08444, -0.00478, -0.42756, 0.00773],
    ),
    "convnext_t": ((2, 64, 96), [-0.55517, 0.04191, -0.273, 0.47223, 0.53933]),
    "swin_t": ((1, 224, 224), [-0.73151, -0.39434, 1.57009, 0.09424, -0.60642]),
    "vit_s_14_dinov2": ((2, 56, 84), [1.20681, -0.88793, 0.36081, 0.32099, 0.22572]),
}


def published_shapes(name, table=0, num_classes=5):
    return shapes_in_file(name, TORCH[name][table].sources(), num_classes)


@pytest.mark.parametrize("name", RECORDED)
def test_logits_are_those_of_the_original(name, rule_state, rule_images, answers):
    shape, expected = RECORDED[name]
    images = rule_images(*shape, 3)
    variables = models.from_torch_state_dict(name, rule_state(published_shapes(name)))
    logits, features, maps = answers(models.create(name, 5), variables, images)
    np.testing.assert_allclose(logits[0], expected, atol=1e-4)
    np.testing.assert_allclose(features, maps.mean((1, 2)), atol=1e-5)
    assert maps.min() >= 0
    assert maps.shape[-1] == models.specification(name).num_features


# Arrays that hold weights in the originals' own state dicts, and one key and shape.
PUBLISHED_KEYS = {
    ("resnet18", 0): (102, "layer4.1.bn2.running_var", (512,)),
    ("resnet34", 0): (182, "layer2.0.downsample.0.weight", (128, 64, 1, 1)),
    ("resnet50", 0): (267, "layer1.0.downsample.0.weight", (256, 64, 1, 1)),
    ("resnet50", 1): (267, "linear.weight", (5, 2048)),
    ("mobilenet_v2", 0): (262, "features.17.conv.2.weight", (320, 960, 1, 1)),
    ("mobilenet_v2", 1): (262, "blocks.6.0.conv_pwl.weight", (320, 960, 1, 1)),
    ("efficientnet_lite0", 0): (247, "_blocks.3._project_conv.weight", (40, 144, 1, 1)),
    ("convnext_t", 0): (182, "features.7.2.layer_scale", (768, 1, 1)),
    ("convnext_t", 1): (182, "stages.1.downsample.1.weight", (192, 96, 2, 2)),
    ("swin_t", 0): (173, "features.2.reduction.weight", (192, 384)),
    ("swin_t", 1): (173, "layers.1.downsample.reduction.weight", (192, 384)),
    ("swin_t", 2): (173, "layers.0.downsample.reduction.weight", (192, 384)),
    ("swin_s", 0): (329, "features.5.17.mlp.3.weight", (384, 1536)),
    ("vit_s_14_dinov2", 0): (176, "pos_embed", (1, 1370, 384)),
    ("vit_b_14_dinov2", 0): (176, "blocks.11.attn.qkv.weight", (2304, 768)),
}


@pytest.mark.parametrize(("name", "table"), PUBLISHED_KEYS)
def test_names_and_shapes_are_the_published_ones(name, table):
    count, key, shape = PUBLISHED_KEYS[name, table]
    shapes = published_shapes(name, table)
    assert len(shapes) == count
    assert shapes[key] == shape


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "convnext_t", "swin_t"])
def test_all_tables_of_names_lead_to_the_same_variables(name, rule_state):
    state = rule_state(published_shapes(name))
    variables = models.from_torch_state_dict(name, state)
    for naming in TORCH[name][1:]:
        arrays = to_arrays(naming.sources(), variables)
        again = models.from_torch_state_dict(name, arrays)
        jax.tree.map(np.testing.assert_array_equal, again, variables)


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v2", "efficientnet_lite0", "vit_s_14_dinov2"]
)
def test_a_state_dict_comes_back_as_it_was(name, rule_state):
    state = rule_state(published_shapes(name))
    back = models.to_torch_state_dict(name, models.from_torch_state_dict(name, state))
    assert set(back) == set(state)
    for key, array in state.items():
        np.testing.assert_array_equal(back[key], array)
        assert back[key].flags.c_contiguous


def test_a_backbone_without_a_head_takes_the_new_one(rule_state):
    state = rule_state(published_shapes("vit_s_14_dinov2"))
    state = {key: array for key, array in state.items() if "head" not in key}
    state["mask_token"] = np.zeros((1, 384))
    loaded = models.from_torch_state_dict("vit_s_14_dinov2", state)
    assert set(loaded["params"]) == {"backbone"}
    new = {"params": {"backbone": loaded["params"]["backbone"], "head": {"bias": 0}}}
    assert models.transfer(new, loaded)["params"]["head"] == {"bias": 0}
    assert set(models.to_torch_state_dict("vit_s_14_dinov2", loaded)) == (
        set(state) - {"mask_token"}
    )


def test_variables_of_another_model_are_not_exported(rule_state):
    state = rule_state(published_shapes("resnet18"))
    variables = models.from_torch_state_dict("resnet18", state)
    with pytest.raises(ValueError, match="not those of 'resnet50'"):
        models.to_torch_state_dict("resnet50", variables)
    with pytest.raises(ValueError, match="no PyTorch names"):
        models.to_torch_state_dict("resnet_small", variables)

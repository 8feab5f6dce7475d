"""ConvNeXt, Swin, DINOv2 and MobileNetV2 against their PyTorch originals.

The originals are those of the package transformers, which names their arrays in its own
way; `RENAMED` leads to the names that published weights have.
"""

import re

import numpy as np
import pytest

from qpm_jax import models

torch = pytest.importorskip("torch", reason="needs torch (extra parity)")
pytest.importorskip("transformers", reason="needs transformers (extra parity)")

# The originals' names (regular expressions) and those of timm.
RENAMED = {
    "swin": [
        (r"^swin\.", ""),
        (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
        (r"embeddings\.norm", "patch_embed.norm"),
        (r"encoder\.layers\.(\d)\.downsample", lambda m: merging_of(m)),
        (r"encoder\.", ""),
        (r"attention\.o_proj", "attn.proj"),
        (r"attention\.relative_position_bias\.", "attn."),
        (r"attention\.", "attn."),
        ("layernorm_before", "norm1"),
        ("layernorm_after", "norm2"),
        ("^layernorm", "norm"),
        ("^classifier", "head.fc"),
    ],
    "convnext": [
        (r"^convnext\.", ""),
        (r"embeddings\.patch_embeddings", "stem.0"),
        (r"embeddings\.layernorm", "stem.1"),
        (r"encoder\.", ""),
        ("downsampling_layer", "downsample"),
        (r"\.layers\.", ".blocks."),
        ("dwconv", "conv_dw"),
        ("pwconv", "mlp.fc"),
        ("layer_scale_parameter", "gamma"),
        (r"blocks\.(\d)\.layernorm", r"blocks.\1.norm"),
        ("^layernorm", "head.norm"),
        ("^classifier", "head.fc"),
    ],
    "dinov2": [
        (r"^dinov2\.", ""),
        (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
        (r"embeddings\.position_embeddings", "pos_embed"),
        (r"embeddings\.", ""),
        (r"encoder\.layer\.", "blocks."),
        (r"attention\.o_proj", "attn.proj"),
        (r"attention\.", "attn."),
        (r"layer_scale(\d)\.lambda1", r"ls\1.gamma"),
        ("^layernorm", "norm"),
    ],
    "mobilenet_v2": [
        (r"^mobilenet_v2\.", ""),
        (r"conv_stem\.first_conv", "features.0"),
        (r"conv_stem\.conv_3x3", "features.1.conv.0"),
        (r"conv_stem\.reduce_1x1", "features.1.conv.1"),
        (r"layer\.(\d+)", lambda m: f"features.{int(m[1]) + 2}.conv"),
        ("expand_1x1", "0"),
        (r"conv\.conv_3x3", "conv.1"),
        ("reduce_1x1", "2"),
        ("conv_1x1", "features.18"),
        (r"^classifier", "classifier.1"),
        # A projection and its normalisation lie beside the other layers, not inside.
        (r"(features\.1\.conv)\.1\.convolution", r"\1.1"),
        (r"(features\.1\.conv)\.1\.normalization", r"\1.2"),
        (r"conv\.2\.convolution", "conv.2"),
        (r"conv\.2\.normalization", "conv.3"),
        ("convolution", "0"),
        ("normalization", "1"),
    ],
}


def merging_of(match):
    return f"layers.{int(match[1]) + 1}.downsample"


def renamed(kind, state):
    """The original's state dict in timm's (MobileNetV2: torchvision's) names."""
    arrays = {}
    for key, tensor in state.items():
        for pattern, name in RENAMED[kind]:
            key = re.sub(pattern, name, key)
        if not key.endswith(("num_batches_tracked", "mask_token")):
            arrays[key] = tensor.numpy()
    for key in [key for key in arrays if ".q_proj." in key]:
        parts = [arrays.pop(key.replace("q_proj", f"{p}_proj")) for p in "qkv"]
        arrays[key.replace("q_proj", "qkv")] = np.concatenate(parts)
    return arrays


@pytest.fixture
def filled(fill_by_rule):
    """Returns a function: original -> the same, its numbers made by the rule."""

    def fill(network):
        fill_by_rule(network)
        return network.eval()

    return fill


def outputs_of(maps, classifier):
    """Logits, features and maps [N,H,W,F] of an original's maps [N,F,H,W]."""
    maps = maps.relu()
    features = maps.mean((2, 3))
    return classifier(features), features, maps.permute(0, 2, 3, 1)


def run_swin(network, images):
    hidden = network.swin(images).last_hidden_state
    side = images.shape[2] // 32
    maps = hidden.transpose(1, 2).reshape(len(images), -1, side, side)
    return outputs_of(maps, network.classifier)


def run_convnext(network, images):
    maps = network.convnext(images).last_hidden_state
    normalised = network.convnext.layernorm(maps.permute(0, 2, 3, 1))
    return outputs_of(normalised.permute(0, 3, 1, 2), network.classifier)


def swin(depths):
    from transformers import SwinConfig, SwinForImageClassification

    return SwinForImageClassification(SwinConfig(depths=depths, num_labels=5))


def convnext():
    from transformers import ConvNextConfig, ConvNextForImageClassification

    return ConvNextForImageClassification(ConvNextConfig(num_labels=5))


@pytest.fixture
def compare(answers):
    """Returns a function that compares a network's answers with the original's."""

    def check(name, reduced_strides, state, images, expected):
        module = models.create(name, 5, reduced_strides=reduced_strides)
        variables = models.from_torch_state_dict(name, state)
        outputs = answers(module, variables, images)
        for ours, theirs in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)

    return check


def to_torch(images):
    return torch.tensor(images).permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("name", "depths", "side"),
    [("swin_t", [2, 2, 6, 2], 256), ("swin_s", [2, 2, 18, 2], 224)],
)
def test_swin_answers_as_the_original(name, depths, side, filled, rule_images, compare):
    network = filled(swin(depths))
    images = rule_images(1, side, side, 3)
    with torch.no_grad():
        expected = run_swin(network, to_torch(images))
    state = renamed("swin", network.state_dict())
    compare(name, False, state, images, expected)


def test_finer_swin_runs_the_last_merging_and_stage_on_shifted_maps(
    filled, rule_images, compare
):
    network = filled(swin([2, 2, 6, 2]))
    images = rule_images(1, 224, 224, 3)
    merging = network.swin.encoder.layers[2].downsample
    last = network.swin.encoder.layers[3]
    with torch.no_grad():
        coarse = network.swin.encoder.layers[2]
        coarse.downsample = None
        network.swin.encoder.layers = network.swin.encoder.layers[:3]
        hidden, size = network.swin.embeddings(to_torch(images))
        for number, layer in enumerate(network.swin.encoder.layers):
            hidden = layer(hidden, (size[0] >> number, size[1] >> number))[0]
        maps = torch.nn.functional.pad(
            hidden.reshape(1, 14, 14, -1), (0, 0, 0, 1, 0, 1)
        )
        fine = torch.zeros(1, 14, 14, 768)
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            copy = maps[:, row : row + 14, column : column + 14]
            merged = merging(copy.reshape(1, 196, -1), (14, 14))
            answer = network.swin.layernorm(last(merged, (7, 7))[0])
            fine[:, row::2, column::2] = answer.reshape(1, 7, 7, -1)
        expected = outputs_of(fine.permute(0, 3, 1, 2), network.classifier)
    coarse.downsample = merging
    network.swin.encoder.layers.append(last)
    state = renamed("swin", network.state_dict())
    compare("swin_t", True, state, images, expected)


@pytest.mark.parametrize("reduced_strides", [False, True])
def test_convnext_answers_as_the_original(
    reduced_strides, filled, rule_images, compare
):
    network = filled(convnext())
    state = renamed("convnext", network.state_dict())
    if reduced_strides:
        stage = network.convnext.encoder.stages[3]
        norm, patches = stage.downsampling_layer
        patches.stride = (1, 1)
        border = torch.nn.ZeroPad2d((0, 1, 0, 1))
        stage.downsampling_layer = torch.nn.ModuleList([norm, border, patches])
        for block in stage.layers:
            block.dwconv.dilation, block.dwconv.padding = (2, 2), (6, 6)
    images = rule_images(2, 64, 96, 3)
    with torch.no_grad():
        expected = run_convnext(network, to_torch(images))
    assert expected[2].shape[1:3] == ((4, 6) if reduced_strides else (2, 3))
    compare("convnext_t", reduced_strides, state, images, expected)


@pytest.mark.parametrize(
    ("name", "width", "heads"),
    [("vit_s_14_dinov2", 384, 6), ("vit_b_14_dinov2", 768, 12)],
)
def test_dinov2_answers_as_the_original_at_any_image_size(
    name, width, heads, filled, rule_images, compare
):
    from transformers import Dinov2Config, Dinov2Model

    config = Dinov2Config(
        hidden_size=width, num_attention_heads=heads, image_size=518, patch_size=14
    )
    network = filled(Dinov2Model(config))
    classifier = torch.nn.Linear(width, 5)
    images = rule_images(2, 56, 84, 3)
    with torch.no_grad():
        tokens = network(to_torch(images)).last_hidden_state[:, 1:]
        maps = tokens.transpose(1, 2).reshape(2, width, 4, 6)
        expected = outputs_of(maps, classifier)
    state = renamed("dinov2", network.state_dict())
    for part, tensor in classifier.state_dict().items():
        state[f"head.{part}"] = tensor.numpy()
    compare(name, False, state, images, expected)


def test_mobilenet_v2_answers_as_the_original(filled, rule_images, compare):
    from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

    config = MobileNetV2Config(tf_padding=False, layer_norm_eps=1e-5, num_labels=5)
    network = filled(MobileNetV2ForImageClassification(config))
    # It has no place for the epsilon of its normalisations.
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eps = 1e-5
    images = rule_images(2, 64, 96, 3)
    with torch.no_grad():
        maps = network.mobilenet_v2(to_torch(images)).last_hidden_state
        expected = outputs_of(maps, network.classifier)
    state = renamed("mobilenet_v2", network.state_dict())
    compare("mobilenet_v2", False, state, images, expected)

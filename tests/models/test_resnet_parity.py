"""ResNets against PyTorch layers named and put together as torchvision does it."""

import jax
import numpy as np
import pytest

from qpm_jax import models

torch = pytest.importorskip("torch", reason="needs torch (extra parity)")
nn = torch.nn


class Residual(nn.Module):
    """BasicBlock where `kernels` is (3, 3), Bottleneck where it is (1, 3, 1)."""

    def __init__(self, inputs, width, stride, kernels):
        super().__init__()
        outputs = width * (4 if len(kernels) == 3 else 1)
        sizes = [inputs, *[width] * (len(kernels) - 1), outputs]
        # The first 3×3 convolution takes the stride.
        self.parts = len(kernels)
        for part, kernel in enumerate(kernels):
            step = stride if part == kernels.index(3) else 1
            conv = nn.Conv2d(
                *sizes[part : part + 2], kernel, step, kernel // 2, bias=False
            )
            setattr(self, f"conv{part + 1}", conv)
            setattr(self, f"bn{part + 1}", nn.BatchNorm2d(sizes[part + 1]))
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, inputs):
        hidden = inputs
        for part in range(1, self.parts + 1):
            hidden = getattr(self, f"conv{part}")(hidden)
            hidden = getattr(self, f"bn{part}")(hidden)
            if part < self.parts:
                hidden = hidden.relu()
        shortcut = self.downsample(inputs) if hasattr(self, "downsample") else inputs
        return (hidden + shortcut).relu()


class Original(nn.Module):
    def __init__(self, kernels, depths, strides):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for stage, (depth, stride) in enumerate(zip(depths, strides, strict=True)):
            width, blocks = 64 * 2**stage, []
            for number in range(depth):
                step = stride if number == 0 else 1
                blocks.append(Residual(inputs, width, step, kernels))
                inputs = width * (4 if len(kernels) == 3 else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, 5)

    def forward(self, images):
        hidden = self.maxpool(self.bn1(self.conv1(images)).relu())
        for stage in (1, 2, 3, 4):
            hidden = getattr(self, f"layer{stage}")(hidden)
        features = hidden.mean((2, 3))
        return self.fc(features), features, hidden.permute(0, 2, 3, 1)


FORMS = {
    "resnet18": ((3, 3), (2, 2, 2, 2)),
    "resnet34": ((3, 3), (3, 4, 6, 3)),
    "resnet50": ((1, 3, 1), (3, 4, 6, 3)),
}


def original(name, reduced_strides, fill_by_rule):
    strides = (1, 2, 1, 1) if reduced_strides else (1, 2, 2, 2)
    network = Original(*FORMS[name], strides).eval()
    return network, fill_by_rule(network)


@pytest.mark.parametrize(
    ("name", "reduced_strides"),
    [
        ("resnet18", False),
        ("resnet18", True),
        ("resnet34", False),
        ("resnet50", False),
        ("resnet50", True),
    ],
)
def test_logits_features_and_maps_are_those_of_the_original(
    name, reduced_strides, fill_by_rule, rule_images, answers
):
    network, state = original(name, reduced_strides, fill_by_rule)
    images = rule_images(2, 64, 48, 3)
    with torch.no_grad():
        expected = network(torch.tensor(images).permute(0, 3, 1, 2))
    module = models.create(name, 5, reduced_strides=reduced_strides)
    variables = models.from_torch_state_dict(name, state)
    outputs = answers(module, variables, images)
    assert outputs[2].shape[1:3] == ((8, 6) if reduced_strides else (2, 2))
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


def test_a_training_step_normalises_and_counts_as_the_original(rule_images):
    from qpm_jax.models.batch_norm import BatchNorm

    maps = 3 + 2 * rule_images(2, 3, 3, 4)
    layer = nn.BatchNorm2d(4).train()
    expected = layer(torch.tensor(maps).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    module = BatchNorm()
    variables = module.init(jax.random.key(0), maps)
    outputs, updated = module.apply(variables, maps, True, mutable=["batch_stats"])
    np.testing.assert_allclose(outputs, expected.detach().numpy(), atol=1e-4)
    for ours, theirs in (("mean", layer.running_mean), ("var", layer.running_var)):
        np.testing.assert_allclose(
            updated["batch_stats"][ours], theirs.numpy(), rtol=1e-5
        )

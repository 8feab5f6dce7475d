"""ResNets against their PyTorch originals, those of the package transformers."""

import jax
import numpy as np
import pytest

from qpm_jax import models

torch = pytest.importorskip("torch", reason="needs torch (extra parity)")


def outputs_of(network, images):
    """Logits, features and maps [N,H,W,F] of the original."""
    with torch.no_grad():
        maps = network.resnet(torch.tensor(images).permute(0, 3, 1, 2))
        maps = maps.last_hidden_state
        features = maps.mean((2, 3))
        return network.classifier(features), features, maps.permute(0, 2, 3, 1)


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
    name,
    reduced_strides,
    original_resnet,
    torchvision_key,
    fill_by_rule,
    rule_images,
    answers,
):
    network = original_resnet(name, reduced_strides)
    filled = fill_by_rule(network)
    images = rule_images(2, 64, 48, 3)
    state = {torchvision_key(key): array for key, array in filled.items()}
    module = models.create(name, 5, reduced_strides=reduced_strides)
    variables = models.from_torch_state_dict(name, state)
    outputs = answers(module, variables, images)
    assert outputs[2].shape[1:3] == ((8, 6) if reduced_strides else (2, 2))
    for ours, theirs in zip(outputs, outputs_of(network, images), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


def test_a_training_step_normalises_and_counts_as_the_original(rule_images):
    from qpm_jax.models.batch_norm import BatchNorm

    maps = 3 + 2 * rule_images(2, 3, 3, 4)
    layer = torch.nn.BatchNorm2d(4).train()
    expected = layer(torch.tensor(maps).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    module = BatchNorm()
    variables = module.init(jax.random.key(0), maps)
    outputs, updated = module.apply(variables, maps, True, mutable=["batch_stats"])
    np.testing.assert_allclose(outputs, expected.detach().numpy(), atol=1e-4)
    for ours, theirs in (("mean", layer.running_mean), ("var", layer.running_var)):
        np.testing.assert_allclose(
            updated["batch_stats"][ours], theirs.numpy(), rtol=1e-5
        )

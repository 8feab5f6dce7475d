"""Mixed precision: what is rounded, what is not, and what that changes."""

from functools import partial

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from qpm_jax import models, training
from qpm_jax.datasets import AugmentationPolicy
from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.classifier import Classifier
from qpm_jax.training import precision

NAMES = (
    *("resnet_small", "resnet18", "convnext_t", "swin_t", "vit_s_14_dinov2"),
    *("efficientnet_lite0", "mobilenet_v2", "mobilenet_v2_tf"),
)
POLICY = AugmentationPolicy(flip=False, crop_padding=0, jitter=0.0)


@pytest.mark.parametrize("name", NAMES)
def test_every_backbone_computes_in_bfloat16_and_all_that_follows_is_float32(name):
    network = models.create(name, 5)
    images = jnp.zeros((2, 56, 56, 3))

    def apply(variables):
        params, inputs = precision.inputs_in("bfloat16", variables["params"], images)
        return network.apply(
            {**variables, "params": params},
            inputs,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": jax.random.key(0)},
        )

    variables = jax.eval_shape(network.init, jax.random.key(0), images)
    (logits, features, maps), changes = jax.eval_shape(apply, variables)
    assert maps.dtype == jnp.bfloat16
    assert logits.dtype == features.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(changes)} <= {jnp.dtype("float32")}


class TinyBackbone(nn.Module):
    @nn.compact
    def __call__(self, images, train=False):
        hidden = nn.Conv(8, (3, 3), strides=(2, 2))(images)
        hidden = jax.nn.relu(BatchNorm(name="norm")(hidden, train))
        return jax.nn.relu(nn.Conv(6, (3, 3))(hidden))


def _dtype(leaf):
    return leaf.dtype


def _recipe(network, name):
    return training.Recipe(
        network=network,
        head_kernel=lambda params: params["head"]["kernel"],
        optimiser=training.optimiser("sgd", lambda step: 0.1, 0.9, 0.0),
        diversity=0.196,
        policy=POLICY,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        precision=name,
    )


def test_a_step_in_bfloat16_is_nearly_the_one_in_float32_and_its_state_stays_float32():
    network = Classifier(TinyBackbone(), 4, dropout=0.0)
    random = np.random.default_rng(0)
    batch = {
        "image": random.integers(0, 256, (8, 16, 16, 3)).astype(np.uint8),
        "label": random.integers(0, 4, 8).astype(np.int32),
    }
    variables = jax.jit(network.init)(jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
    moved = {}
    for name in precision.DTYPES:
        recipe = _recipe(network, name)
        state = training.create(variables, recipe.optimiser)
        step = jax.jit(partial(training.train_step, recipe, jax.random.key(1)))
        after = step(state, batch)
        assert jax.tree.map(_dtype, after) == jax.tree.map(_dtype, state)
        change = jax.tree.map(lambda a, b: a - b, after.params, state.params)
        moved[name] = jax.flatten_util.ravel_pytree(change)[0]
    exact, rounded = moved["float32"], moved["bfloat16"]
    cosine = exact @ rounded / jnp.linalg.norm(exact) / jnp.linalg.norm(rounded)
    assert 0.98 < cosine < 1 - 1e-7


def test_an_unknown_precision_is_refused_by_name():
    with pytest.raises(ValueError, match=r"config.precision is 'half'.*bfloat16"):
        precision.check("half")

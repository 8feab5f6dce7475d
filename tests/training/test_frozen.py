"""What `frozen` holds: parameters, and running statistics with what they normalise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from qpm_jax import training
from qpm_jax.datasets import AugmentationPolicy
from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.models.classifier import Classifier

CLASSES = 3
STILL = AugmentationPolicy(flip=False, crop_padding=0, jitter=0.0)


class Block(nn.Module):
    @nn.compact
    def __call__(self, images, train=False):
        hidden = nn.Conv(4, (1, 1), name="mix")(images)
        return jax.nn.relu(BatchNorm(name="norm")(hidden, train))


class TwoBlocks(nn.Module):
    """block00 and block01, each a 1×1 convolution with its normalisation."""

    @nn.compact
    def __call__(self, images, train=False):
        hidden = Block(name="block00")(images, train)
        return Block(name="block01")(hidden, train=train)


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return {
        "image": random.integers(0, 256, (8, 6, 6, 3)).astype(np.uint8),
        "label": random.integers(0, CLASSES, 8).astype(np.int32),
    }


@pytest.fixture
def after_a_step(batch):
    """Returns a function: frozen -> the states before and after one step."""
    network = Classifier(TwoBlocks(), CLASSES, dropout=0.0)

    def take(frozen, averaging=0.0):
        recipe = training.Recipe(
            network=network,
            head_kernel=lambda params: params["head"]["kernel"],
            optimiser=training.optimiser("sgd", lambda _: 0.1, 0.9, 0, frozen=frozen),
            diversity=0.196,
            policy=STILL,
            mean=(0.5, 0.5, 0.5),
            std=(0.25, 0.25, 0.25),
            averaging=averaging,
            frozen=frozen,
        )
        variables = network.init(jax.random.key(0), jnp.zeros((1, 6, 6, 3)))
        before = training.create(variables, recipe.optimiser, averaging)
        step = jax.jit(partial(training.train_step, recipe, jax.random.key(1)))
        return before, step(before, batch)

    return take


def _moved(before, after):
    """Names of the blocks any of whose arrays changed."""
    return {
        block
        for block, arrays in before["backbone"].items()
        if not jax.tree.all(
            jax.tree.map(np.array_equal, arrays, after["backbone"][block])
        )
    }


def test_running_statistics_of_a_frozen_block_stay_and_the_others_move(after_a_step):
    before, after = after_a_step("backbone/block00/")
    assert _moved(before.batch_stats, after.batch_stats) == {"block01"}
    assert _moved(before.params, after.params) == {"block01"}


def test_nothing_frozen_moves_all_of_them(after_a_step):
    before, after = after_a_step("")
    assert _moved(before.batch_stats, after.batch_stats) == {"block00", "block01"}


def test_statistics_whose_own_name_does_not_match_move(after_a_step):
    before, after = after_a_step(".*/(kernel|scale)")
    assert _moved(before.batch_stats, after.batch_stats) == {"block00", "block01"}


def test_their_running_mean_stays_as_well(after_a_step):
    before, after = after_a_step("backbone/block00/", averaging=0.9)
    moved = _moved(before.averaged["batch_stats"], after.averaged["batch_stats"])
    assert moved == {"block01"}


def test_a_frozen_block_answers_in_training_as_in_the_test(batch):
    network = Classifier(TwoBlocks(), CLASSES, dropout=0.0)
    images = batch["image"] / np.float32(255)
    variables = network.init(jax.random.key(0), images)

    def maps(frozen, train):
        with training.held_statistics(frozen):
            outputs, _ = network.apply(
                variables,
                images,
                train=train,
                mutable=["batch_stats"],
                rngs={"dropout": jax.random.key(0)},
            )
        return outputs[2]

    tested = maps("", train=False)
    np.testing.assert_array_equal(maps("backbone/block0[01]/", train=True), tested)
    assert not np.allclose(maps("backbone/block00/", train=True), tested)
    half = maps("backbone/block00/", train=True)
    assert not np.allclose(half, maps("", train=True))

"""The recipes on CUB's first 50 classes: two backbones, cropped and whole photos."""

import importlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from qpm_jax import models, training
from qpm_jax.config import from_dict
from qpm_jax.config_keys import flatten
from qpm_jax.datasets.augment import AugmentationPolicy
from qpm_jax.phases import checks, data
from qpm_jax.phases.setting import dense_network
from qpm_jax.training.frozen import is_frozen

STEMS = {"cub50": {"stem"}, "cub50_lite0": {"stem", "stem_norm"}}
FROZEN_BLOCKS = {"cub50": 6, "cub50_lite0": 3}


def _recipe(name):
    return importlib.import_module(f"configs.{name}").get_config()


@pytest.fixture(params=["cub50", "cub50_whole", "cub50_lite0"])
def recipe(request):
    return _recipe(request.param)


def test_every_key_exists_and_every_value_may_stand_there(recipe):
    assert flatten(from_dict(recipe.to_dict())) == flatten(recipe)
    checks.check_settings(recipe)
    checks.check_classes(50, recipe.num_features, recipe.per_class)
    AugmentationPolicy(**recipe.augmentation.to_dict())


def test_the_photos_of_fifty_classes_load(recipe, shared):
    recipe.dataset.options.root = str(shared("data/cub"))
    loaded = data.load(recipe)
    assert (len(loaded.train), len(loaded.test)) == (1500, 1389)
    assert loaded.num_classes == 50
    data.check_training_images(loaded)
    # Photo 2 of the lists is 286×192 pixels, its box 87×151.
    cropped = recipe.dataset.options.cropped
    assert loaded.train.images[0].shape == ((151, 87, 3) if cropped else (192, 286, 3))


def test_the_weights_are_those_of_the_backbone(recipe, shared):
    file = shared(f"data/weights/{Path(recipe.model.weights).name}")
    loaded = models.load_weights(recipe.model.name, file)
    network = dense_network(recipe, num_classes=50)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    new = jax.eval_shape(network.init, jax.random.key(0), image)
    models.transfer(new, loaded)


@pytest.mark.parametrize("name", FROZEN_BLOCKS)
def test_the_first_blocks_are_frozen_and_the_rest_trains(name):
    recipe = _recipe(name)
    network = dense_network(recipe, num_classes=50)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    shapes = jax.eval_shape(network.init, jax.random.key(0), image)
    ones = jax.tree.map(lambda _: np.ones(1, np.float32), shapes["params"])
    optimiser = training.optimiser(
        "sgd", lambda step: 1.0, 0.0, 0.0, frozen=recipe.model.frozen
    )
    updates, _ = optimiser.update(ones, optimiser.init(ones), ones)
    flat = traverse_util.flatten_dict(updates)
    moves = {path: bool(leaf[0]) for path, leaf in flat.items()}
    still = {path[1] for path, moving in moves.items() if not moving}
    blocks = {f"block{number:02d}" for number in range(FROZEN_BLOCKS[name])}
    assert still == STEMS[name] | blocks
    assert not {path[1] for path, moving in moves.items() if moving} & still
    running = traverse_util.flatten_dict(shapes.get("batch_stats", {}))
    held = {path for path in running if is_frozen(recipe.model.frozen, path)}
    assert held == {path for path in running if path[1] in still}


def test_whole_photos_differ_from_cropped_ones_in_what_is_cut_alone():
    whole, cropped = flatten(_recipe("cub50_whole")), flatten(_recipe("cub50"))
    changed = {key: value for key, value in whole.items() if value != cropped[key]}
    assert changed == {
        "dataset.options.cropped": False,
        "fit": "centre_crop",
        "augmentation.crop": "random",
    }
    assert whole["augmentation.crop_padding"] == 4

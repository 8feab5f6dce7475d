"""The dense training step that several benchmarks time, on arrays in memory."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qpm_jax import training
from qpm_jax.datasets import AugmentationPolicy
from qpm_jax.models.classifier import Classifier
from qpm_jax.training.state import TrainState

Step = Callable[[TrainState, dict[str, Any]], TrainState]


def recipe_of(network: Classifier, **options: Any) -> training.Recipe:
    """Returns the published dense recipe, at a small learning rate.

    Args:
      network: Backbone and dense head.
      **options: Fields of the recipe that shall be others.
    """
    settings: dict[str, Any] = {
        "head_kernel": lambda params: params["head"]["kernel"],
        "optimiser": training.optimiser("sgd", lambda step: 1e-4, 0.9, 5e-4),
        "diversity": 0.196,
        "policy": AugmentationPolicy(),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
    }
    return training.Recipe(network=network, **{**settings, **options})


def state_of(recipe: training.Recipe, size: int) -> TrainState:
    """Returns the state before the first step, for images of `size` pixels a side."""
    example = jnp.zeros((1, size, size, 3))
    variables: Any = jax.jit(recipe.network.init)(jax.random.key(0), example)
    return training.create(variables, recipe.optimiser)


def step_of(recipe: training.Recipe) -> Step:
    """Returns the step, not yet compiled."""
    return partial(training.train_step, recipe, jax.random.key(1))


def random_batch(count: int, size: int, num_classes: int) -> dict[str, np.ndarray]:
    """Returns noise as uint8 images [count, size, size, 3], and int32 labels."""
    random = np.random.default_rng(0)
    return {
        "image": random.integers(0, 256, (count, size, size, 3), np.uint8),
        "label": random.integers(0, num_classes, count).astype(np.int32),
    }

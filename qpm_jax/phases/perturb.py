"""Deletion and insertion over some test images: what the explanations rest on.

The cost is stated here and is apart from the one pass of the other metrics: every image
of the sample goes through the network 3·STEPS times.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from qpm_jax import datasets, metrics
from qpm_jax.datasets.normalise import normalise
from qpm_jax.metrics import Faithfulness, FaithfulnessState
from qpm_jax.phases.passes import Model
from qpm_jax.phases.setting import Channels, Setting
from qpm_jax.training.progress import track

# A hundred images give the areas to about ±0.03.
IMAGES = 100
STEPS = 8


def number(setting: Setting) -> int:
    """Returns how many test images are looked at."""
    return min(IMAGES, len(setting.dataset.test))


def run(setting: Setting, model: Model) -> Faithfulness:
    """Returns the mean curves over IMAGES test images, evenly spaced over the split."""
    split = setting.dataset.test
    chosen = np.unique(
        np.linspace(0, len(split) - 1, number(setting)).round().astype(np.int64)
    )
    size = min(setting.config.evaluation_batch_size, len(chosen))
    update = jax.jit(partial(_update, model.network, setting.mean, setting.std))
    state = metrics.faithfulness_init(STEPS)
    key = jax.random.key(setting.config.seed)
    starts = range(0, len(chosen), size)
    for start in track(starts, len(starts), "deletion and insertion"):
        indices = chosen[start : start + size]
        padded = np.pad(indices, (0, size - len(indices)), mode="edge")
        batch = datasets.gather(split, padded, setting.image_size, setting.config.fit)
        state = update(
            model.variables,
            jnp.asarray(model.map_weights, jnp.float32),
            state,
            batch["image"],
            np.arange(size) < len(indices),
            jax.random.fold_in(key, start),
        )
    return metrics.faithfulness_finish(state)


def _update(
    network: nn.Module,
    mean: Channels,
    std: Channels,
    variables: Any,
    weights: Float[Array, "C F"],
    state: FaithfulnessState,
    images: Array,
    valid: Bool[Array, " B"],
    key: Array,
) -> FaithfulnessState:
    def outputs(images: Array) -> Any:
        return network.apply(variables, images, train=False)

    normalised = normalise(images, mean, std)
    logits, _, maps = outputs(normalised)
    importance = metrics.class_map(maps, weights, jnp.argmax(logits, axis=-1))
    return metrics.faithfulness_update(
        state, lambda x: outputs(x)[0], normalised, importance, key, valid
    )

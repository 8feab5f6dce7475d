"""Deletion and insertion over some test images: what the explanations rest on.

The cost is stated here and is apart from the one pass of the other metrics: every image
of the sample goes through the network 3·STEPS − 1 times.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import Array, Bool, Float

from qpm_jax import datasets, metrics
from qpm_jax.datasets.normalise import normalise
from qpm_jax.distributed import (
    along_rows,
    local_rows,
    place,
    place_rows,
    replicated,
    round_up,
)
from qpm_jax.metrics import Faithfulness
from qpm_jax.phases.passes import Model
from qpm_jax.phases.setting import Channels, Setting
from qpm_jax.training.agreement import leave_if_asked
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
    places = np.linspace(0, len(split) - 1, number(setting))
    chosen = np.unique(places.round().astype(np.int64))
    mesh = setting.mesh
    size = min(setting.evaluation_batch_size, round_up(len(chosen), mesh.size))
    own = local_rows(size)
    rows, whole = along_rows(mesh), replicated(mesh)
    look = jax.jit(
        partial(_look, model.network, setting.mean, setting.std), out_shardings=rows
    )
    pictures = jax.jit(_pictures, out_shardings=rows)
    update = jax.jit(metrics.faithfulness_update, out_shardings=whole)
    # What comes first lies where all that follows will, so that programs serve both.
    state = place(metrics.faithfulness_init(STEPS), whole)
    weights = place(jnp.asarray(model.map_weights, jnp.float32), whole)
    key = jax.random.key(setting.config.seed)
    starts = range(0, len(chosen), size)
    for start in track(starts, len(starts), "deletion and insertion"):
        leave_if_asked()
        indices = chosen[start : start + size]
        padded = np.pad(indices, (0, size - len(indices)), mode="edge")
        batch = datasets.gather(
            split, padded[own], setting.image_size, setting.config.fit
        )
        logits = _logits(
            partial(look, model.variables, place_rows(mesh, batch["image"], size)),
            partial(pictures, map_weights=weights, key=jax.random.fold_in(key, start)),
            rows,
        )
        state = update(state, logits, np.arange(size) < len(indices))
    return metrics.faithfulness_finish(state)


def _logits(
    look: Callable[[Bool[Array, "B H W"]], tuple[Array, Array]],
    pictures: Callable[[Array, Array], tuple[Bool[Array, "B H W"], ...]],
    rows: NamedSharding,
) -> Float[Array, "Q B C"]:
    """Returns the logits of every picture of a batch, the whole images first."""
    # Masks of the maps' size from the start, so that one program serves all pictures.
    single = jax.ShapeDtypeStruct((1, 1, 1), jnp.bool_)
    size = jax.eval_shape(look, single)[1].shape[:3]
    logits, maps = look(place(jnp.ones(size, bool), rows))
    _, *rest = pictures(logits, maps)
    return jnp.stack([logits, *(look(shown)[0] for shown in rest)])


def _look(
    network: nn.Module,
    mean: Channels,
    std: Channels,
    variables: Any,
    images: Array,
    shown: Bool[Array, "B H W"],
) -> tuple[Float[Array, "B C"], Float[Array, "B H W F"]]:
    visible = metrics.show(normalise(images, mean, std), shown)
    outputs: Any = network.apply(variables, visible, train=False)
    return outputs[0], outputs[2]


def _pictures(
    logits: Float[Array, "B C"],
    maps: Float[Array, "B H W F"],
    map_weights: Float[Array, "C F"],
    key: Array,
) -> tuple[Bool[Array, "B H W"], ...]:
    """Returns what each picture shows, apart: hosts cannot walk through an array."""
    importance = metrics.class_map(maps, map_weights, jnp.argmax(logits, axis=-1))
    return tuple(metrics.shown_positions(importance, STEPS, key))

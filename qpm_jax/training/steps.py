"""Pure steps: (state, batch) -> state for training, (variables, batch) -> sums to test.

Both phases share one training step; they differ in the network and in where the class
weights of the diversity loss come from (a trained kernel, or the fixed assignment).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from qpm_jax import losses
from qpm_jax.datasets.augment import AugmentationPolicy, augment
from qpm_jax.datasets.normalise import normalise
from qpm_jax.training.finite import first_bad
from qpm_jax.training.frozen import held_statistics
from qpm_jax.training.precision import inputs_in
from qpm_jax.training.state import Parameters, Totals, TrainState

Batch = dict[str, Any]
Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Recipe:
    """What a step is made of and does not change.

    Attributes:
      network: Module whose apply gives (logits[N,C], features[N,F], maps[N,H,W,F]).
      head_kernel: Function from the parameters to the class weights [F, C].
      optimiser: Gradient transformation of the whole phase, schedule included.
      diversity: beta, weight of the feature diversity loss; 0 leaves it out.
      policy: Random changes of the training images.
      mean: Channel means of the network's input, images in [0, 1].
      std: Channel standard deviations of the same.
      averaging: Decay of the running mean of the variables that is tested and kept
        (Polyak averaging; not in the paper); 0 keeps the variables themselves.
      smoothing: Share of each target spread over all classes (label smoothing; not in
        the paper).
      precision: What the backbone computes in, see `precision`.
      frozen: As of the optimiser; batch normalisations whose running statistics it
        matches use them in training too and leave them as they are.
      distillation: Share of the loss that is the distance to the teacher's answers in
        place of the labels' cross-entropy (not in the paper); 0 for no teacher.
      temperature: Of both answers in that distance.
      teacher: Module of the teacher; its variables are in the state.
      gather: Brings parameters that are divided over devices together before their use.
    """

    network: nn.Module
    head_kernel: Callable[[Parameters], Float[Array, "F C"]]
    optimiser: optax.GradientTransformation
    diversity: float
    policy: AugmentationPolicy
    mean: Channels
    std: Channels
    averaging: float = 0.0
    smoothing: float = 0.0
    precision: str = "float32"
    frozen: str = ""
    distillation: float = 0.0
    temperature: float = 1.0
    teacher: nn.Module | None = None
    gather: Callable[[Parameters], Parameters] = lambda params: params


def train_step(
    recipe: Recipe, key: PRNGKeyArray, state: TrainState, batch: Batch
) -> TrainState:
    """Takes one optimiser step; jit it over `state` and `batch`.

    Args:
      recipe: The phase's fixed parts.
      key: The phase's key; each step folds its number in.
      state: State before the step.
      batch: `image` uint8 [B, H, W, 3] and `label` int32 [B].

    Returns:
      State after the step.
    """
    augment_key, dropout_key = jax.random.split(jax.random.fold_in(key, state.step))
    images = batch["image"].astype(jnp.float32) / 255
    images = augment(augment_key, images, recipe.policy)
    images = normalise(images, recipe.mean, recipe.std)
    loss_of = partial(_loss, recipe, dropout_key, state, images, batch["label"])
    (loss, (logits, diversity, changes)), gradient = jax.value_and_grad(
        loss_of, has_aux=True
    )(state.params)
    updates, opt_state = recipe.optimiser.update(
        gradient, state.opt_state, state.params
    )
    totals = _add(state.totals, loss, diversity, logits, batch["label"])
    state = state.replace(
        step=state.step + 1,
        params=optax.apply_updates(state.params, updates),
        batch_stats=changes.get("batch_stats", state.batch_stats),
        opt_state=opt_state,
    )
    bad_step = first_bad(totals.bad_step, state.step, (loss, state.variables))
    state = state.replace(totals=totals.replace(bad_step=bad_step))
    return _with_average(state, recipe.averaging)


def _loss(
    recipe: Recipe,
    dropout_key: PRNGKeyArray,
    state: TrainState,
    images: Float[Array, "B H W 3"],
    labels: Int[Array, " B"],
    params: Parameters,
) -> tuple[Float[Array, ""], Any]:
    """Returns the loss, and (logits, diversity loss, changed running statistics)."""
    params = recipe.gather(params)
    rounded, inputs = inputs_in(recipe.precision, params, images)
    with held_statistics(recipe.frozen):
        (logits, _, maps), changes = recipe.network.apply(
            {**state.variables, "params": rounded},
            inputs,
            train=True,
            rngs={"dropout": dropout_key},
            mutable=["batch_stats"],
        )
    diversity = jnp.zeros(())
    if recipe.diversity:
        diversity = losses.feature_diversity_loss(
            maps.astype(jnp.float32),
            logits,
            recipe.head_kernel(params),
            recipe.diversity,
        )
    entropy = losses.cross_entropy(logits, labels, smoothing=recipe.smoothing)
    if recipe.teacher is not None:
        told = _teacher_logits(recipe, recipe.teacher, state.teacher, images)
        distance = losses.distillation_loss(logits, told, recipe.temperature)
        share = recipe.distillation
        entropy = (1 - share) * entropy + share * distance
    return entropy + diversity, (logits, diversity, changes)


def _teacher_logits(
    recipe: Recipe,
    teacher: nn.Module,
    variables: dict[str, Parameters],
    images: Float[Array, "B H W 3"],
) -> Float[Array, "B C"]:
    """Returns what the teacher, which is not in training, says of the same images."""
    params = recipe.gather(variables["params"])
    rounded, inputs = inputs_in(recipe.precision, params, images)
    found: Any = teacher.apply({**variables, "params": rounded}, inputs, train=False)
    return found[0]


def _with_average(state: TrainState, averaging: float) -> TrainState:
    """Moves the running mean, if there is one, towards the variables."""
    if not averaging:
        return state
    # A mean of few steps would still be the start; it grows into its full length.
    decay = jnp.minimum(averaging, (1 + state.step) / (10 + state.step))
    averaged = optax.incremental_update(state.variables, state.averaged, 1 - decay)
    return state.replace(averaged=averaged)


def _add(
    totals: Totals,
    loss: Float[Array, ""],
    diversity: Float[Array, ""],
    logits: Float[Array, "B C"],
    labels: Int[Array, " B"],
) -> Totals:
    """Adds one batch of means to the running sums."""
    count = labels.shape[0]
    return totals.replace(
        loss=totals.loss + loss * count,
        diversity=totals.diversity + diversity * count,
        correct=totals.correct + jnp.sum(jnp.argmax(logits, -1) == labels),
        count=totals.count + count,
    )


def test_step(
    network: nn.Module, mean: Channels, std: Channels, variables: Any, batch: Batch
) -> dict[str, Float[Array, ""]]:
    """Returns the sums `loss`, `correct`, `count` over the valid images of a batch.

    Args:
      network: As in `Recipe`.
      mean: As in `Recipe`.
      std: As in `Recipe`.
      variables: Of the network.
      batch: `image` uint8 [B, H, W, 3], `label` int32 [B], `valid` bool [B].
    """
    images = normalise(batch["image"], mean, std)
    outputs: Any = network.apply(variables, images, train=False)
    logits = outputs[0]
    valid = batch["valid"]
    entropy = optax.softmax_cross_entropy_with_integer_labels(logits, batch["label"])
    correct = jnp.argmax(logits, -1) == batch["label"]
    return {
        "loss": jnp.sum(entropy * valid),
        "correct": jnp.sum(correct * valid).astype(jnp.float32),
        "count": jnp.sum(valid).astype(jnp.float32),
    }


# pytest collects names that begin with `test`; this one is no test.
test_step.__test__ = False  # type: ignore[attr-defined]

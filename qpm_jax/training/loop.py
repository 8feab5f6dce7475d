"""The loop around a jitted step: data in, log records and checkpoints out.

A phase is a pure function of its recipe, key and data: batch `s` depends on the seed
and `s` alone, and a checkpoint holds the whole state. A run that is killed at any
moment therefore continues from its last checkpoint to the same parameters.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from jaxtyping import PRNGKeyArray

from qpm_jax import checkpoints
from qpm_jax.training import progress as bars
from qpm_jax.training.logs import Log
from qpm_jax.training.state import Totals, TrainState
from qpm_jax.training.steps import Batch, Recipe, test_step, train_step

logger = logging.getLogger(__name__)

FIGURES_EVERY = (
    20  # steps between looks at the loss, each of which waits for the device
)


@dataclass(frozen=True)
class Plan:
    """How long a phase trains and how often it reports.

    Attributes:
      phase: Name in logs and on the bar.
      total_steps: Steps of the whole phase.
      steps_per_epoch: Steps of one pass over the training images.
      evaluate_epochs: Epochs between looks at the test split.
      checkpoint_seconds: Seconds between checkpoints; 0 writes one every epoch.
    """

    phase: str
    total_steps: int
    steps_per_epoch: int
    evaluate_epochs: int
    checkpoint_seconds: float


def train(
    recipe: Recipe,
    key: PRNGKeyArray,
    state: TrainState,
    batches_from: Callable[[int], Iterator[Batch]],
    test_batches: Callable[[], Iterable[Batch]],
    plan: Plan,
    manager: ocp.CheckpointManager,
    log: Log,
) -> TrainState:
    """Trains from `state.step` to the plan's end and leaves a checkpoint there.

    Args:
      recipe: Network, optimiser, losses, augmentation.
      key: Randomness of the whole phase.
      state: Where to begin, new or restored.
      batches_from: Function from a step to the batches from that step on.
      test_batches: Function that starts a pass over the test images.
      plan: Length and rhythm.
      manager: Takes the checkpoints.
      log: Takes a record an epoch.

    Returns:
      The final state.

    Raises:
      FloatingPointError: The loss is no longer finite; the last checkpoint remains.
    """
    step_function = jax.jit(partial(train_step, recipe, key), donate_argnums=0)
    test_function = jax.jit(partial(test_step, recipe.network, recipe.mean, recipe.std))
    first = step = int(state.step)
    saved_at, saved_step = time.monotonic(), first
    if step and _is_epoch_end(step, plan) and float(state.totals.count):
        # Stopped between the last step of an epoch and its record.
        state = _report(state, step, plan, test_function, test_batches, log)
    batches = batches_from(step)
    with bars.bar(plan.total_steps, plan.phase, initial=step) as progress:
        try:
            while step < plan.total_steps:
                state = step_function(state, next(batches))
                step += 1
                progress.update()
                if step % FIGURES_EVERY == 0 or step == first + 1:
                    bars.show(progress, **_means(state.totals, plan.phase, step))
                if _is_epoch_end(step, plan):
                    state = _report(state, step, plan, test_function, test_batches, log)
                    due = time.monotonic() - saved_at >= plan.checkpoint_seconds
                    if due and step < plan.total_steps:
                        _save(manager, step, state)
                        saved_at, saved_step = time.monotonic(), step
                elif 0 < plan.checkpoint_seconds <= time.monotonic() - saved_at:
                    _save(manager, step, state)
                    saved_at, saved_step = time.monotonic(), step
        except KeyboardInterrupt:
            if step > saved_step:
                _save(manager, int(state.step), state)
            logger.info("%s: stopped at step %d; it can go on.", plan.phase, step)
            raise
    if step > saved_step or manager.latest_step() != step:
        _save(manager, step, state)
    return state


def test_figures(
    test_function: Callable[[Any, Batch], dict[str, Any]],
    variables: Any,
    batches: Iterable[Batch],
) -> dict[str, float]:
    """Returns `loss` and `accuracy` (a fraction) over all valid images."""
    sums = {"loss": 0.0, "correct": 0.0, "count": 0.0}
    for batch in batches:
        result = test_function(variables, _device_part(batch))
        sums = {name: sums[name] + float(result[name]) for name in sums}
    count = max(sums["count"], 1.0)
    return {"loss": sums["loss"] / count, "accuracy": sums["correct"] / count}


test_figures.__test__ = False  # type: ignore[attr-defined]


def _device_part(batch: Batch) -> Batch:
    return {name: batch[name] for name in ("image", "label", "valid") if name in batch}


def _is_epoch_end(step: int, plan: Plan) -> bool:
    return step % plan.steps_per_epoch == 0 or step == plan.total_steps


def _save(manager: ocp.CheckpointManager, step: int, state: TrainState) -> None:
    # The next step reuses the donated buffers while the writer still reads, so the
    # writer gets copies.
    checkpoints.save(manager, step, jax.tree.map(jnp.copy, state))


def _means(totals: Totals, phase: str, step: int) -> dict[str, float]:
    """Returns means since the last record; stops a run whose loss is not finite."""
    count = max(float(totals.count), 1.0)
    loss = float(totals.loss) / count
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"{phase}: the loss is {loss} at step {step}. The last checkpoint is kept; "
            f"lower config.{phase}.learning_rate or look at the images of that epoch."
        )
    return {
        "loss": loss,
        "diversity": float(totals.diversity) / count,
        "accuracy": float(totals.correct) / count,
    }


def _report(
    state: TrainState,
    step: int,
    plan: Plan,
    test_function: Callable[[Any, Batch], dict[str, Any]],
    test_batches: Callable[[], Iterable[Batch]],
    log: Log,
) -> TrainState:
    """Logs an epoch, looks at the test split when it is time, and empties the sums."""
    epoch = math.ceil(step / plan.steps_per_epoch)
    figures = _means(state.totals, plan.phase, step)
    if epoch % plan.evaluate_epochs == 0 or step == plan.total_steps:
        test = test_figures(test_function, state.result, test_batches())
        figures |= {f"test_{name}": value for name, value in test.items()}
    log.write(plan.phase, step, epoch=epoch, **figures)
    shown = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
    logger.info("%s epoch %d  %s", plan.phase, epoch, shown)
    return state.replace(totals=Totals.zero())

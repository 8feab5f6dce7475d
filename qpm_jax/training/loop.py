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
from qpm_jax.stopping import Stopped
from qpm_jax.training import finite
from qpm_jax.training import progress as bars
from qpm_jax.training.agreement import EVERY, any_host, asks
from qpm_jax.training.logs import Log
from qpm_jax.training.state import Totals, TrainState
from qpm_jax.training.steps import Batch, Recipe, train_step
from qpm_jax.training.testing import AskedToEnd, tester

logger = logging.getLogger(__name__)

# Steps between looks at the loss, each of which waits for the device; the hosts of a
# job ask each other at the same steps.
FIGURES_EVERY = EVERY


@dataclass(frozen=True)
class Plan:
    """How long a phase trains and how often it reports.

    Attributes:
      phase: Name in logs and on the bar.
      total_steps: Steps of the whole phase.
      steps_per_epoch: Steps of one pass over the training images.
      evaluate_epochs: Epochs between looks at the test split.
      checkpoint_seconds: Seconds between checkpoints; 0 writes one every epoch.
      largest_loss: Mean cross-entropy since the last record above which training
        counts as diverged.
    """

    phase: str
    total_steps: int
    steps_per_epoch: int
    evaluate_epochs: int
    checkpoint_seconds: float
    largest_loss: float = math.inf


def train(
    recipe: Recipe,
    key: PRNGKeyArray,
    state: TrainState,
    batches_from: Callable[[int], Iterator[Batch]],
    test_batches: Callable[[], Iterable[Batch]],
    plan: Plan,
    manager: ocp.CheckpointManager,
    log: Log,
    should_stop: Callable[[int], bool] = lambda step: False,
    name_images: finite.Namer | None = None,
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
      should_stop: Whether this host is asked to end, such as `stopping.deferred`
        gives; the hosts of a job end together as soon as one of them is.
      name_images: Names images of the training split by their positions.

    Returns:
      The final state.

    Raises:
      Stopped: `should_stop` said so; the state is in a checkpoint.
      FloatingPointError: Loss or parameters are no longer finite, or the loss is above
        the plan's largest; the last good checkpoint remains.
    """
    look = partial(_look, plan, manager, batches_from, name_images)
    test = tester(recipe, test_batches, should_stop)
    parts = _Parts(
        step=_compiled(recipe, key, state),
        batches_from=batches_from,
        plan=plan,
        manager=manager,
        should_stop=should_stop,
        look=look,
        report=partial(_report, plan, look, test, log),
    )
    first, stop = int(state.step), False
    if first and _is_epoch_end(first, plan) and float(state.totals.count):
        # Stopped between the last step of an epoch and its record.
        state, stop = parts.report(state, first)
    # Before the first step is compiled, which may take minutes.
    stop = stop or any_host(should_stop(first))[0]
    saved_step = first
    if not stop:
        state, saved_step, stop = _take_steps(parts, state, first)
    step = int(state.step)
    if step > saved_step or manager.latest_step() != step:
        _save(manager, step, state, look)
    if stop:
        manager.wait_until_finished()
        raise Stopped(f"{plan.phase}: the checkpoint of step {step} is written.")
    return state


@dataclass(frozen=True)
class _Parts:
    """What the loop calls, each made for one phase.

    Attributes:
      step: The compiled training step.
      batches_from: As of `train`.
      plan: As of `train`.
      manager: As of `train`.
      should_stop: As of `train`.
      look: `_look` at the sums of a step.
      report: `_report` of an epoch.
    """

    step: Callable[[TrainState, Batch], TrainState]
    batches_from: Callable[[int], Iterator[Batch]]
    plan: Plan
    manager: ocp.CheckpointManager
    should_stop: Callable[[int], bool]
    look: Callable[[Totals, int], dict[str, float]]
    report: Callable[[TrainState, int], tuple[TrainState, bool]]


def _take_steps(
    parts: _Parts, state: TrainState, first: int
) -> tuple[TrainState, int, bool]:
    """Takes steps from `first` on, to the plan's end or until a host is asked to end.

    Returns:
      The state, the step of the last checkpoint, and whether the end was asked for.
    """
    plan, manager = parts.plan, parts.manager
    step = saved_step = first
    saved_at, stop = time.monotonic(), False
    batches = parts.batches_from(step)
    with bars.bar(plan.total_steps, plan.phase, initial=step) as progress:
        try:
            while step < plan.total_steps and not stop:
                state = parts.step(state, next(batches))
                step += 1
                progress.update()
                if step % FIGURES_EVERY == 0 or step == first + 1:
                    bars.show(progress, **parts.look(state.totals, step))
                epoch_end = _is_epoch_end(step, plan)
                if not (epoch_end or asks(step)):
                    continue
                due = _is_due(plan, time.monotonic() - saved_at, epoch_end, manager)
                stop, due = any_host(parts.should_stop(step), due)
                if epoch_end and not stop:
                    state, stop = parts.report(state, step)
                if due and not stop and step < plan.total_steps:
                    _save(manager, step, state, parts.look)
                    saved_at, saved_step = time.monotonic(), step
        except KeyboardInterrupt:
            if step > saved_step:
                _save_what_is_left(manager, state, parts.look)
            logger.info("%s: stopped at step %d; it can go on.", plan.phase, step)
            raise
    return state, saved_step, stop


def _compiled(
    recipe: Recipe, key: PRNGKeyArray, state: TrainState
) -> Callable[[TrainState, Batch], TrainState]:
    """Returns the training step; its result lies where `state` does."""
    return jax.jit(
        partial(train_step, recipe, key),
        donate_argnums=0,
        out_shardings=jax.tree.map(lambda leaf: leaf.sharding, state),
    )


def _is_epoch_end(step: int, plan: Plan) -> bool:
    return step % plan.steps_per_epoch == 0 or step == plan.total_steps


def _is_due(
    plan: Plan, seconds: float, epoch_end: bool, manager: ocp.CheckpointManager
) -> bool:
    """Whether it is time for a checkpoint; one that is still written comes first."""
    if seconds < plan.checkpoint_seconds or manager.is_saving_in_progress():
        return False
    return epoch_end or plan.checkpoint_seconds > 0


def _save(
    manager: ocp.CheckpointManager,
    step: int,
    state: TrainState,
    look: Callable[[Totals, int], Any],
) -> None:
    """Hands a checkpoint to the writer, after a look that its numbers are good."""
    look(state.totals, step)
    # The next step reuses the donated buffers while the writer still reads, so the
    # writer gets copies.
    checkpoints.save(manager, step, jax.tree.map(jnp.copy, state))


def _save_what_is_left(
    manager: ocp.CheckpointManager, state: TrainState, look: Callable[..., Any]
) -> None:
    """Saves the state of an interrupted loop where that can be done."""
    alone = jax.process_count() == 1  # else other hosts are at other steps
    # A step that was cut short has taken the state's buffers with it.
    if alone and not any(leaf.is_deleted() for leaf in jax.tree.leaves(state)):
        _save(manager, int(state.step), state, look)


def _look(
    plan: Plan,
    manager: ocp.CheckpointManager,
    batches_from: Callable[[int], Iterator[Batch]],
    name_images: finite.Namer | None,
    totals: Totals,
    step: int,
) -> dict[str, float]:
    """Returns means since the last record; stops a run whose numbers went wrong."""
    totals = jax.device_get(totals)
    if totals.bad_step:
        bad = int(totals.bad_step)
        raise finite.not_finite(plan.phase, bad, batches_from, manager, name_images)
    count = max(float(totals.count), 1.0)
    loss, diversity = float(totals.loss) / count, float(totals.diversity) / count
    if loss - diversity > plan.largest_loss:
        raise finite.diverged(
            plan.phase, step, loss - diversity, plan.largest_loss, manager
        )
    return {
        "loss": loss,
        "diversity": diversity,
        "accuracy": float(totals.correct) / count,
    }


def _report(
    plan: Plan,
    look: Callable[[Totals, int], dict[str, float]],
    test: Callable[[Any], dict[str, float]],
    log: Log,
    state: TrainState,
    step: int,
) -> tuple[TrainState, bool]:
    """Logs an epoch, looks at the test split when it is time, and empties the sums.

    Returns:
      The state to go on with, and whether the end was asked for meanwhile; then the
      record is left to the run that goes on.
    """
    epoch = math.ceil(step / plan.steps_per_epoch)
    figures = look(state.totals, step)
    if epoch % plan.evaluate_epochs == 0 or step == plan.total_steps:
        try:
            tested = test(state.result)
        except AskedToEnd:
            return state, True
        figures |= {f"test_{name}": value for name, value in tested.items()}
    log.write(plan.phase, step, epoch=epoch, **figures)
    shown = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
    logger.info("%s epoch %d  %s", plan.phase, epoch, shown)
    # Not new zeros: these lie on the devices that the old sums did.
    return state.replace(totals=jax.tree.map(jnp.zeros_like, state.totals)), False

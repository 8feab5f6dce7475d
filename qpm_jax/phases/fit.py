"""What the two training phases share: data, checkpoints, log and the loop."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import optax
from ml_collections import ConfigDict

from qpm_jax import checkpoints, distributed, stopping, training
from qpm_jax.datasets.augment import AugmentationPolicy
from qpm_jax.datasets.dataset import Split
from qpm_jax.phases.setting import Setting
from qpm_jax.training import logs

logger = logging.getLogger(__name__)

Variables = dict[str, Any]

# Each phase draws its randomness from a key of its own.
_KEYS = {"dense": 1, "finetune": 2}


def fit(
    setting: Setting,
    phase: str,
    recipe: training.Recipe,
    shapes: Variables,
    first_variables: Callable[[], Variables],
    started: float,
) -> dict[str, float]:
    """Trains one phase to its end, from its last checkpoint where there is one.

    Args:
      setting: The run.
      phase: `dense` or `finetune`; names the settings, folder and log records.
      recipe: Network, optimiser, losses.
      shapes: Of the variables.
      first_variables: Makes those to begin with, in `setting.places`; called only if
        there is no checkpoint.
      started: `beginning` of the phase.

    Returns:
      Figures of the last record in the log, such as `test_accuracy`.
    """
    config = setting.config
    key = jax.random.fold_in(jax.random.key(config.seed), _KEYS[phase])
    if config.parallel.parameters == "sharded":
        recipe = replace(recipe, gather=distributed.gathered(setting.mesh))
    kept = recipe.optimiser, recipe.averaging
    first = training.template(shapes, *kept, setting.places)
    folder = _checkpoints(setting.workdir, phase)
    with (
        stopping.deferred() as should_stop,
        checkpoints.open_manager(folder, config.checkpoint_keep) as manager,
    ):
        state = checkpoints.restore_latest(manager, first)
        if state is None:
            state = training.create_like(first, first_variables(), *kept)
        else:
            logger.info("%s: goes on from step %d", phase, int(state.step))
        # Sums that are not empty: the record of that step is written again, too.
        written = int(state.step) - bool(float(state.totals.count))
        logs.forget_after(setting.workdir, phase, written)
        with logs.open_log(setting.workdir, started) as log:
            state = training.train(
                recipe,
                key,
                state,
                setting.training_from,
                lambda: setting.in_order(setting.dataset.test),
                _plan(setting, phase),
                manager,
                log,
                should_stop,
                partial(image_names, setting.dataset.train),
            )
    checkpoints.save_final(setting.workdir / phase / "model", state.result)
    return last_figures(setting.workdir, phase)


def _plan(setting: Setting, phase: str) -> training.Plan:
    """Returns when a phase ends, is evaluated and leaves checkpoints."""
    config = setting.config
    return training.Plan(
        phase=phase,
        total_steps=config[phase].epochs * steps_in_epoch(setting),
        steps_per_epoch=steps_in_epoch(setting),
        evaluate_epochs=config.evaluate_epochs,
        checkpoint_seconds=config.checkpoint_seconds,
        largest_loss=config.divergence * math.log(setting.num_classes) or math.inf,
    )


def beginning(workdir: Path, phase: str) -> float:
    """Returns `time.monotonic()` now, moved back by what earlier parts took.

    Only those that are gone on with: a phase that is made again begins anew.
    """
    steps = (path.name.isdigit() for path in _checkpoints(workdir, phase).glob("*"))
    spent = logs.seconds_spent(workdir, phase) if any(steps) else 0.0
    return time.monotonic() - spent


def _checkpoints(workdir: Path, phase: str) -> Path:
    return workdir / phase / "checkpoints"


def steps_in_epoch(setting: Setting) -> int:
    """Returns the steps of one pass over the training images, rounded up."""
    return -(-len(setting.dataset.train.labels) // setting.config.batch_size)


def image_names(split: Split, positions: Sequence[int]) -> list[str]:
    """Returns the files of images of a split, [] where they are none."""
    sources = getattr(split.images, "sources", None)
    if sources is None:
        return []
    return [sources[position].name for position in positions]


def last_figures(workdir: Path, phase: str) -> dict[str, float]:
    """Returns the numbers of the phase's last log record."""
    records = [record for record in logs.read(workdir) if record["phase"] == phase]
    hidden = {"phase", "step", "epoch", "seconds", "time"}
    last = records[-1] if records else {}
    return {name: value for name, value in last.items() if name not in hidden}


def schedule(
    phase: ConfigDict, learning_rate: float, steps_per_epoch: int
) -> optax.Schedule:
    """Returns the staircase of a phase's settings at the given rate."""
    return training.step_decay(
        learning_rate,
        steps_per_epoch,
        phase.decay_factor,
        phase.decay_epochs,
        phase.warmup_epochs,
    )


def policy(config: ConfigDict) -> AugmentationPolicy:
    """Returns the augmentation of the settings."""
    values: Mapping[str, Any] = config.augmentation.to_dict()
    return AugmentationPolicy(**values)

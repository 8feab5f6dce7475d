"""Phase 1: train backbone and dense head with the feature diversity loss."""

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
from ml_collections import ConfigDict

from qpm_jax import checkpoints, distributed, models, training
from qpm_jax.datasets import Dataset
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.fit import beginning, fit, policy, schedule, steps_in_epoch
from qpm_jax.phases.setting import Setting, prepare

logger = logging.getLogger(__name__)


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Trains the dense model, or goes on from its last checkpoint.

    Args:
      config: Every setting; `config.dense` is this phase's.
      workdir: Where the run lies.
      dataset: The data set where it is loaded already.

    Raises:
      ValueError: A setting is impossible or the work directory holds another run.
    """
    setting = prepare(config, workdir, dataset)
    if not folders.has_work(setting.workdir, "dense"):
        return
    started = beginning(setting.workdir, "dense")
    optimiser = _optimiser(setting)
    recipe = training.Recipe(
        network=setting.network,
        head_kernel=lambda params: params["head"]["kernel"],
        optimiser=optimiser,
        diversity=config.dense.diversity,
        policy=policy(config),
        mean=setting.mean,
        std=setting.std,
        averaging=config.dense.averaging,
        smoothing=config.dense.label_smoothing,
        precision=config.precision,
        frozen=config.model.frozen,
    )
    first = partial(start_variables, setting)
    figures = fit(setting, "dense", recipe, setting.variable_shapes(), first, started)
    seconds = time.monotonic() - started
    folders.mark_done(setting.workdir, "dense", seconds, setting.mesh.size, **figures)


def final_variables(setting: Setting, places: Any = None) -> dict[str, Any]:
    """Returns the trained variables of the dense network.

    Args:
      setting: The run.
      places: Where each array is to lie; by default whole on every device.

    Raises:
      ValueError: The phase is not done or its checkpoint cannot be read.
    """
    folders.require(setting.workdir, "dense")
    return checkpoints.restore_final(
        setting.workdir / "dense" / "model",
        setting.variable_shapes(),
        places or distributed.replicated(setting.mesh),
    )


def start_variables(setting: Setting) -> dict[str, Any]:
    """Returns new variables, the backbone's from the weights file if one is named.

    They lie in `setting.places`. A new head on a trained backbone starts at zero: a
    random one would first spoil the features it stands on.

    Raises:
      ValueError: The file does not fit, or is to be the dense model as it is and has
        no head of these classes.
    """
    model = setting.config.model
    if not model.weights:
        return setting.initial_variables()
    shapes = setting.variable_shapes()
    head = jax.tree.map(
        lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes["params"]["head"]
    )
    loaded = models.load_weights(
        model.name, model.weights, model.weights_sha256 or None
    )
    _check_head(setting, loaded)
    started = models.transfer(
        {**shapes, "params": {**shapes["params"], "head": head}}, loaded
    )
    return distributed.place(started, setting.places(shapes))


def _check_head(setting: Setting, loaded: dict[str, Any]) -> None:
    """Says that a new head begins; ValueError where nobody would train it."""
    needed = len(setting.dataset.class_names)
    bias = loaded["params"].get("head", {}).get("bias")
    if bias is not None and len(bias) == needed:
        return
    found = "no head" if bias is None else f"a head of {len(bias)} classes"
    if setting.config.dense.epochs == 0:
        raise ValueError(
            f"config.dense.epochs is 0, but config.model.weights has {found} and the "
            f"data set {needed} classes; train a head with config.dense.epochs of at "
            "least 1."
        )
    logger.info("The weights have %s: a head of zeros begins for %d", found, needed)


def _optimiser(setting: Setting) -> optax.GradientTransformation:
    settings, steps = setting.config.dense, steps_in_epoch(setting)
    return training.optimiser(
        settings.optimizer,
        schedule(settings, settings.learning_rate, steps),
        settings.momentum,
        settings.weight_decay,
        schedule(settings, settings.head_learning_rate, steps),
        setting.config.model.frozen,
    )

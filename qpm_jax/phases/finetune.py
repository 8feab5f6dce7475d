"""Phase 4: fine-tune the backbone under the fixed binary head of the assignment."""

import time
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from qpm_jax import checkpoints, models, training
from qpm_jax.datasets import Dataset
from qpm_jax.phases import assign, dense
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.fit import beginning, fit, policy, schedule, steps_in_epoch
from qpm_jax.phases.setting import Setting, prepare, variable_shapes
from qpm_jax.phases.statistics import read_statistics


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Fine-tunes, or goes on from the last checkpoint.

    Args:
      config: Every setting; `config.finetune` is this phase's.
      workdir: Where the run lies; needs the phases up to `assign`.
      dataset: The data set where it is loaded already.

    Raises:
      ValueError: An earlier phase is missing or a setting is impossible.
    """
    setting = prepare(config, workdir, dataset)
    if not folders.has_work(setting.workdir, "finetune"):
        return
    started = beginning(setting.workdir, "finetune")
    optimiser = _optimiser(setting)
    network, kernel = qpm_network(
        setting.workdir, setting.network.backbone, config.finetune.dropout
    )
    recipe = training.Recipe(
        network=network,
        head_kernel=lambda params: kernel,
        optimiser=optimiser,
        diversity=config.finetune.diversity,
        policy=policy(config),
        mean=setting.mean,
        std=setting.std,
        averaging=config.finetune.averaging,
        smoothing=config.finetune.label_smoothing,
        precision=config.precision,
        frozen=config.model.frozen,
        distillation=config.finetune.distillation,
        temperature=config.finetune.temperature,
        teacher=setting.network if config.finetune.distillation else None,
    )
    shapes = setting.variable_shapes()

    def beginning_with(variables: dict[str, Any]) -> dict[str, Any]:
        teacher = {"teacher": variables} if recipe.teacher else {}
        return {**backbone_variables(variables), **teacher}

    figures = fit(
        setting,
        "finetune",
        recipe,
        beginning_with(shapes),
        lambda: beginning_with(dense.final_variables(setting, setting.places(shapes))),
        started,
    )
    seconds, devices = time.monotonic() - started, setting.mesh.size
    folders.mark_done(setting.workdir, "finetune", seconds, devices, **figures)


def qpm_network(
    workdir: Path, backbone: nn.Module, dropout: float
) -> tuple[models.QPMNetwork, Float[Array, "n C"]]:
    """Returns the network with the binary head, and the head's kernel.

    Raises:
      ValueError: The assignment was not made yet.
    """
    selected, assignment = assign.read_assignment(workdir)
    statistics = read_statistics(workdir)
    head = models.BinaryHead(
        selected=selected,
        assignment=assignment,
        mean=statistics.mean[selected],
        std=statistics.std[selected],
        dropout=dropout,
    )
    network = models.QPMNetwork(backbone=backbone, head=head)
    return network, jnp.asarray(assignment.T, jnp.float32)


def final_variables(
    workdir: Path,
    network: models.QPMNetwork,
    image_size: tuple[int, int],
    sharding: jax.sharding.Sharding | None = None,
) -> dict[str, Any]:
    """Returns the fine-tuned variables of the network with the binary head.

    Args:
      workdir: Where the run lies.
      network: As `qpm_network` makes it.
      image_size: (height, width) the network sees.
      sharding: Where they are to lie; by default on the first device.

    Raises:
      ValueError: The phase is not done or its checkpoint cannot be read.
    """
    folders.require(workdir, "finetune")
    return checkpoints.restore_final(
        workdir / "finetune" / "model", variable_shapes(network, image_size), sharding
    )


def backbone_variables(variables: dict[str, Any]) -> dict[str, Any]:
    """Returns the part of the dense network's variables the binary head stands on."""
    return {
        collection: {"backbone": branches["backbone"]}
        for collection, branches in variables.items()
        if "backbone" in branches
    }


def _optimiser(setting: Setting) -> optax.GradientTransformation:
    settings, steps = setting.config.finetune, steps_in_epoch(setting)
    return training.optimiser(
        settings.optimizer,
        schedule(settings, settings.learning_rate, steps),
        settings.momentum,
        settings.weight_decay,
        frozen=setting.config.model.frozen,
    )

"""What a configuration must hold to, checked before anything is loaded or trained."""

import re
from math import comb, inf

from ml_collections import ConfigDict

from qpm_jax import models
from qpm_jax.assignment.solve import SOLVERS
from qpm_jax.phases import data
from qpm_jax.training import precision
from qpm_jax.training.optimisers import OPTIMISERS


def check_settings(config: ConfigDict) -> None:
    """Raises ValueError where a setting cannot be, whatever the data set is."""
    counts = ("batch_size", "evaluation_batch_size", "evaluate_epochs")
    for name in (*counts, "checkpoint_keep"):
        if config[name] < 1:
            raise ValueError(f"config.{name} is {config[name]}; it must be at least 1.")
    if not (config.divergence == 0 or config.divergence > 1):
        raise ValueError(
            f"config.divergence is {config.divergence}; it must be 0 (off) or above 1, "
            "for instance 2."
        )
    precision.check(config.precision)
    _check_model(config)
    data.check_settings(config)
    # Pretrained weights may be the dense model as they are.
    _check_training(config, "dense", least_epochs=0 if config.model.weights else 1)
    _check_training(config, "finetune", least_epochs=1)
    _check_distillation(config)
    _check_assignment(config)


def _check_model(config: ConfigDict) -> None:
    """Raises ValueError where the backbone is unknown or lacks what it is to have."""
    model = config.model
    try:
        models.check_options(model.name, model.reduced_strides, model.unbounded_maps)
    except ValueError as error:
        raise ValueError(f"config.model.{error}") from None
    digits = model.weights_sha256
    if digits and not model.weights:
        raise ValueError(
            f"config.model.weights_sha256 is {digits!r}, but there is no file to have "
            "it; name one by config.model.weights or leave this empty."
        )
    if digits and not re.fullmatch("[0-9a-fA-F]{8,64}", digits):
        raise ValueError(
            f"config.model.weights_sha256 is {digits!r}; it takes the first 8 to 64 "
            "hexadecimal digits, as `sha256sum` prints them."
        )


def check_weights(config: ConfigDict) -> None:
    """Raises ValueError where there are no such weights to begin with.

    Those of the hub are fetched, as there may be no network later.
    """
    model = config.model
    if not model.weights:
        return
    try:
        models.find_weights(model.name, model.weights)
    except ValueError as error:
        reason = str(error).partition(": ")[2]
        raise ValueError(f"config.model.weights: {reason}") from None


def _check_training(config: ConfigDict, phase: str, least_epochs: int) -> None:
    """Raises ValueError where a training phase's settings cannot be."""
    if config[phase].epochs < least_epochs:
        raise ValueError(
            f"config.{phase}.epochs is {config[phase].epochs}; it must be at "
            f"least {least_epochs}."
        )
    if config[phase].optimizer not in OPTIMISERS:
        raise ValueError(
            f"config.{phase}.optimizer is {config[phase].optimizer!r}; it takes "
            f"{', '.join(OPTIMISERS)}."
        )
    for name in ("averaging", "label_smoothing"):
        if not 0 <= config[phase][name] < 1:
            raise ValueError(
                f"config.{phase}.{name} is {config[phase][name]}; it must lie "
                "from 0 (off) to below 1."
            )


def _check_distillation(config: ConfigDict) -> None:
    """Raises ValueError where nothing can be learnt from the dense model so."""
    settings = config.finetune
    if not 0 <= settings.distillation <= 1:
        raise ValueError(
            f"config.finetune.distillation is {settings.distillation}; it must lie "
            "from 0 (off) to 1."
        )
    if not 0 < settings.temperature < inf:
        raise ValueError(
            f"config.finetune.temperature is {settings.temperature}; it must be above "
            "0."
        )


def _check_assignment(config: ConfigDict) -> None:
    """Raises ValueError where no assignment can be made as the settings say."""
    if config.assign.solver not in SOLVERS:
        raise ValueError(
            f"config.assign.solver is {config.assign.solver!r}; solvers are "
            f"{', '.join(SOLVERS)}."
        )
    if not config.assign.time_limit >= 0:
        raise ValueError(
            f"config.assign.time_limit is {config.assign.time_limit}; it must be at "
            "least 0 seconds."
        )
    restarts = config.assign.restarts
    if restarts < 1 or (restarts > 1 and config.assign.solver != "native"):
        raise ValueError(
            f"config.assign.restarts is {restarts} with config.assign.solver="
            f"{config.assign.solver!r}; it must be at least 1, and 1 for solvers other "
            "than 'native'."
        )
    available = models.specification(config.model.name).num_features
    if not 1 <= config.num_features <= available:
        raise ValueError(
            f"config.num_features is {config.num_features}; {config.model.name} has "
            f"{available} features, so it must lie between 1 and {available}."
        )
    if not 1 <= config.per_class <= config.num_features:
        raise ValueError(
            f"config.per_class is {config.per_class}; it must lie between 1 and "
            f"config.num_features = {config.num_features}."
        )


def check_classes(num_classes: int, num_features: int, per_class: int) -> None:
    """Raises ValueError where there are fewer k-subsets of n than classes."""
    subsets = comb(num_features, per_class)
    if subsets < num_classes:
        raise ValueError(
            f"config.per_class is {per_class} of config.num_features = {num_features}, "
            f"which gives only {subsets} different sets of features, but the "
            f"{num_classes} classes need one each; raise either."
        )

"""What every phase starts from: data set, network, normalisation, checked together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from ml_collections import ConfigDict

from qpm_jax import datasets, distributed, models
from qpm_jax.assignment.solve import SOLVERS
from qpm_jax.datasets import Dataset
from qpm_jax.datasets.dataset import Split
from qpm_jax.phases import data, inputs, placed_batches
from qpm_jax.phases import workdir as folders
from qpm_jax.training import precision

Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Setting:
    """A run's fixed surroundings.

    Attributes:
      config: Every setting.
      workdir: Where the run lies.
      dataset: Images and class names.
      network: The dense network (backbone and dense head).
      image_size: (height, width) the network sees.
      mean: Channel means the input is normalised with, images in [0, 1].
      std: Channel standard deviations of the same.
      mesh: The devices that share the work.
    """

    config: ConfigDict
    workdir: Path
    dataset: Dataset
    network: nn.Module
    image_size: tuple[int, int]
    mean: Channels
    std: Channels
    mesh: Mesh

    @property
    def num_classes(self) -> int:
        """C, the number of classes."""
        return len(self.dataset.class_names)

    def training_from(self, step: int) -> Iterator[dict[str, Any]]:
        """Returns the endless training batches from `step` on."""
        batches = datasets.training_batches(
            self.dataset.train,
            self.config.batch_size,
            self.image_size,
            self.config.seed,
            self.config.fit,
            self.config.augmentation.crop,
            self.config.augmentation.crop_padding,
            shard_index=jax.process_index(),
            shard_count=jax.process_count(),
        )
        ahead = datasets.iterate_from(
            batches, step, self.config.input.threads, self.config.input.workers
        )
        return placed_batches.to_train(self.mesh, ahead, self.config.batch_size)

    def in_order(self, split: Split) -> Iterable[dict[str, Any]]:
        """Returns one padded pass over a split with the test-time transform."""
        batches = datasets.evaluation_batches(
            split,
            self.evaluation_batch_size,
            self.image_size,
            self.config.fit,
            self.config.input.threads,
            self.config.input.workers,
            shard_index=jax.process_index(),
            shard_count=jax.process_count(),
        )
        return placed_batches.in_order(
            self.mesh, batches, split, self.evaluation_batch_size
        )

    @property
    def evaluation_batch_size(self) -> int:
        """The setting's, rounded up so that the devices share each batch equally."""
        return distributed.round_up(self.config.evaluation_batch_size, self.mesh.size)

    def variable_shapes(self) -> dict[str, Any]:
        """Returns the shapes of the dense network's variables, without making them."""
        return variable_shapes(self.network, self.image_size)

    def initial_variables(self) -> dict[str, Any]:
        """Returns new variables of the dense network from the run's seed."""
        height, width = self.image_size
        example = jnp.zeros((1, height, width, 3))
        key = jax.random.key(self.config.seed)
        return jax.jit(self.network.init)(key, example)


def variable_shapes(network: nn.Module, image_size: tuple[int, int]) -> dict[str, Any]:
    """Returns the shapes and dtypes of a network's variables."""
    example = jax.ShapeDtypeStruct((1, *image_size, 3), jnp.float32)
    return jax.eval_shape(network.init, jax.random.key(0), example)


def prepare(
    config: ConfigDict,
    workdir: str | Path,
    dataset: Dataset | None = None,
) -> Setting:
    """Loads the data set, makes the network and checks that all of it fits together.

    Args:
      config: Every setting.
      workdir: Where the run lies or will lie.
      dataset: The data set of the configuration where it is loaded already.

    Raises:
      ValueError: A setting is impossible; the message says which and what would do.
    """
    specification = models.specification(config.model.name)
    check_counts(config)
    if dataset is None:
        dataset = data.load(config)
    data.check_training_images(dataset)
    check_classes(len(dataset.class_names), config.num_features, config.per_class)
    mesh = distributed.make_mesh(config.parallel.devices)
    distributed.check_batch_size(mesh, "config.batch_size", config.batch_size)
    size = config.image_size
    image_size = (size, size) if size else dataset.image_size
    mean, std = data.channels(config, specification, dataset)
    setting = Setting(
        config=config,
        workdir=folders.open_workdir(workdir, config),
        dataset=dataset,
        network=models.create(
            config.model.name,
            len(dataset.class_names),
            reduced_strides=config.model.reduced_strides,
            dropout=config.dense.dropout,
        ),
        image_size=image_size or specification.image_size,
        mean=mean,
        std=std,
        mesh=mesh,
    )
    inputs.write(setting.workdir, _inputs(setting))
    return setting


def _inputs(setting: Setting) -> inputs.Inputs:
    return inputs.Inputs(
        class_names=setting.dataset.class_names,
        image_size=setting.image_size,
        fit=setting.config.fit,
        mean=tuple(setting.mean),
        std=tuple(setting.std),
        training_images=len(setting.dataset.train.labels),
        test_images=len(setting.dataset.test.labels),
    )


def check_counts(config: ConfigDict) -> None:
    """Raises ValueError where a setting cannot be, before anything is trained."""
    available = models.specification(config.model.name).num_features
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
    data.check_settings(config)
    for phase in ("dense", "finetune"):
        # Pretrained weights may be the dense model as they are.
        least = 0 if phase == "dense" and config.model.weights else 1
        if config[phase].epochs < least:
            raise ValueError(
                f"config.{phase}.epochs is {config[phase].epochs}; it must be at "
                f"least {least}."
            )
        for name in ("averaging", "label_smoothing"):
            if not 0 <= config[phase][name] < 1:
                raise ValueError(
                    f"config.{phase}.{name} is {config[phase][name]}; it must lie "
                    "from 0 (off) to below 1."
                )
    if config.assign.solver not in SOLVERS:
        raise ValueError(
            f"config.assign.solver is {config.assign.solver!r}; solvers are "
            f"{', '.join(SOLVERS)}."
        )
    restarts = config.assign.restarts
    if restarts < 1 or (restarts > 1 and config.assign.solver != "native"):
        raise ValueError(
            f"config.assign.restarts is {restarts} with config.assign.solver="
            f"{config.assign.solver!r}; it must be at least 1, and 1 for solvers other "
            "than 'native'."
        )
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

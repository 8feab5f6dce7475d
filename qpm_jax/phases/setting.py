"""What every phase starts from: data set, network, normalisation, checked together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array
from ml_collections import ConfigDict

from qpm_jax import datasets, distributed, models
from qpm_jax.datasets import Dataset
from qpm_jax.datasets.dataset import Split
from qpm_jax.phases import checks, data, inputs, placed_batches
from qpm_jax.phases import workdir as folders

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

    def places(self, tree: Any) -> Any:
        """Returns where arrays of a training state lie, by `config.parallel`.

        Args:
          tree: Arrays or their shapes; of a state or of variables alike.
        """
        parallel = self.config.parallel
        return distributed.state_shardings(
            self.mesh, tree, parallel.parameters, parallel.smallest_sharded
        )

    def initial_variables(self) -> dict[str, Any]:
        """Returns new variables of the dense network from the run's seed, in `places`.

        Each device makes its parts alone: what is divided is never whole on one.
        """
        places = self.places(self.variable_shapes())
        key = jax.random.key_data(jax.random.key(self.config.seed))
        example = np.zeros((1, *self.image_size, 3), np.float32)

        def first(key: Array, example: Array) -> Any:
            return self.network.init(jax.random.wrap_key_data(key), example)

        # NumPy: arrays of one device would be none of several hosts' mesh.
        return jax.jit(first, out_shardings=places)(np.asarray(key), example)


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
    checks.check_settings(config)
    # Before the images: to list those may take minutes.
    if not folders.holds_work(Path(workdir), "dense"):
        checks.check_weights(config)
    specification = models.specification(config.model.name)
    if dataset is None:
        dataset = data.load(config)
    data.check_same_everywhere(dataset)
    data.check_training_images(dataset)
    checks.check_classes(
        len(dataset.class_names), config.num_features, config.per_class
    )
    mesh = distributed.make_mesh(config.parallel.devices)
    distributed.check_batch_size(mesh, "config.batch_size", config.batch_size)
    size = config.image_size
    image_size = (size, size) if size else dataset.image_size
    mean, std = data.channels(config, specification, dataset)
    setting = Setting(
        config=config,
        workdir=folders.open_workdir(workdir, config),
        dataset=dataset,
        network=dense_network(config, len(dataset.class_names)),
        image_size=image_size or specification.image_size,
        mean=mean,
        std=std,
        mesh=mesh,
    )
    inputs.write(setting.workdir, _inputs(setting))
    return setting


def dense_network(config: ConfigDict, num_classes: int) -> models.Classifier:
    """Returns the network of phase 1 as a run's configuration says."""
    return models.create(
        config.model.name,
        num_classes,
        reduced_strides=config.model.reduced_strides,
        unbounded_maps=config.model.unbounded_maps,
        dropout=config.dense.dropout,
    )


def _inputs(setting: Setting) -> inputs.Inputs:
    return inputs.Inputs(
        class_names=setting.dataset.class_names,
        image_size=setting.image_size,
        fit=setting.config.fit,
        mean=tuple(setting.mean),
        std=tuple(setting.std),
        training_images=len(setting.dataset.train.labels),
        test_images=len(setting.dataset.test.labels),
        dataset=setting.dataset.name,
    )

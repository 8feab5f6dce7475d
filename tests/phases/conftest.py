"""A data set and a run small enough to go through every phase in seconds."""

import numpy as np
import pytest

from qpm_jax.config import default
from qpm_jax.datasets import Dataset, Split

NAMES = ("red", "green", "blue", "grey")


def _split(seed, per_class):
    """Noisy squares: class c is bright in channel c, the last one in all of them."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(NAMES)), per_class).astype(np.int32)
    images = random.integers(0, 90, (len(labels), 16, 16, 3)).astype(np.uint8)
    for index, label in enumerate(labels):
        row, column = random.integers(0, 8, 2)
        channels = slice(None) if label == 3 else label
        images[index, row : row + 8, column : column + 8, channels] += 150
    return Split(images=images, labels=labels)


def tiny_dataset():
    return Dataset(
        name="tiny",
        class_names=NAMES,
        train=_split(0, 12),
        test=_split(1, 5),
        image_size=(16, 16),
        mean=(0.3, 0.3, 0.3),
        std=(0.25, 0.25, 0.25),
        class_attributes=np.array(
            [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]], dtype=float
        ),
        attribute_names=("red", "green", "blue", "single"),
    )


def tiny_config():
    config = default()
    config.num_features = 8
    config.per_class = 3
    config.batch_size = 16
    config.evaluation_batch_size = 16
    config.augmentation.crop_padding = 1
    config.augmentation.trivial_augment = False
    config.dense.epochs = 4
    config.dense.learning_rate = config.dense.head_learning_rate = 0.05
    config.finetune.epochs = 2
    config.finetune.learning_rate = 0.01
    config.assign.time_limit = 2.0
    config.evaluate_epochs = 2
    return config


@pytest.fixture(scope="session")
def dataset():
    return tiny_dataset()


@pytest.fixture
def config():
    return tiny_config()


@pytest.fixture(scope="session")
def finished(made_once):
    """A run that went through every phase; tests only read it."""
    from qpm_jax.phases import pipeline

    def make(workdir):
        pipeline.run(tiny_config(), workdir, tiny_dataset())

    return made_once("finished", make)

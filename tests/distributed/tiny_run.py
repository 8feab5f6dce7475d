"""A run of seconds with a network of few layers, for jobs of several processes.

As a script it is one process of such a job: tiny_run.py WORKDIR MODE PHASE... ; which
one, say the variables of the environment that launchers read. In the mode `warned`
process 1 gets a scheduler's notice in the middle of the pass for the statistics, in the
mode `differing` it has an image less.
"""

import os
import signal
import sys

import jax
import numpy as np

from qpm_jax import distributed, models, stopping
from qpm_jax.config import default
from qpm_jax.datasets import Dataset, Split
from qpm_jax.models.resnet_small import ResNetSmall
from qpm_jax.phases import forward, pipeline, setting, statistics

NAMES = ("red", "green", "blue", "grey", "dark")


def network(name, num_classes, **options):
    """In the place of `resnet_small`, with as many features."""
    del name
    backbone = ResNetSmall((8, 192), (8, 8), (1, 1), (2, 2))
    return models.Classifier(backbone, num_classes, options["dropout"])


def split(seed, per_class):
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(NAMES)), per_class).astype(np.int32)
    images = random.integers(0, 90, (len(labels), 16, 16, 3)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = random.integers(0, 8, 2)
        channels = slice(None) if label == 3 else label % 3
        image[row : row + 8, column : column + 8, channels] += 150 if label < 4 else 60
    return Split(images=images, labels=labels)


def dataset(left_out=0):
    train = split(0, 13)
    return Dataset(
        name="tiny",
        class_names=NAMES,
        train=Split(train.images[left_out:], train.labels[left_out:]),
        test=split(1, 4),
        image_size=(16, 16),
        mean=(0.3, 0.3, 0.3),
        std=(0.25, 0.25, 0.25),
    )


def config(evaluation_batch_size=16, **parallel):
    values = default()
    values.num_features, values.per_class = 8, 3
    values.batch_size = 16
    values.evaluation_batch_size = evaluation_batch_size
    # Changes of images are compared on virtual devices; here they would take long to
    # compile.
    values.augmentation.update(
        flip=False, crop_padding=0, jitter=0.0, trivial_augment=False
    )
    values.dense.epochs = 2
    values.dense.learning_rate = values.dense.head_learning_rate = 0.02
    values.finetune.epochs = 1
    values.assign.max_rounds = 3
    values.evaluate_epochs = 2
    values.parallel.update(parallel)
    return values


def run(workdir, phases, left_out=0, **settings):
    """Runs the phases, one after the other, with the small network."""
    setting.models.create, published = network, setting.models.create
    try:
        for phase in phases:
            if phase == "pipeline":
                pipeline.run(config(**settings), workdir, dataset(left_out))
            else:
                pipeline.RUN[phase](config(**settings), workdir, dataset(left_out))
    finally:
        setting.models.create = published


def warned(*arguments):
    """In the place of `stream`."""
    for number, outputs in enumerate(forward.stream(*arguments)):
        if number == 1 and jax.process_index() == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        yield outputs
        sys.stdout.write(f"{number + 1} batches\n")


def main(workdir, mode, *phases):
    stopping.listen()
    distributed.initialize()
    settings = {"parameters": "sharded", "smallest_sharded": 64}
    if mode == "differing":
        settings["left_out"] = jax.process_index()
    if mode == "plain":
        settings = {}
    if mode == "warned":
        statistics.stream = warned
        settings["evaluation_batch_size"] = 2  # 33 batches
    try:
        run(workdir, phases, **settings)
    except stopping.Stopped as stopped:
        sys.stdout.write(f"Stopped: {stopped}\n")
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])

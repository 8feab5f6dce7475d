"""The images of a run, loaded as its settings say and checked before it trains."""

import hashlib
from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from qpm_jax import datasets
from qpm_jax.config_keys import check_among
from qpm_jax.datasets import Dataset
from qpm_jax.datasets.image_files import FITS
from qpm_jax.datasets.training_crops import CROPS
from qpm_jax.distributed import from_all
from qpm_jax.models import ModelSpecification

Channels = tuple[float, float, float]


def load(config: ConfigDict) -> Dataset:
    """Loads the data set of the settings, without unreadable images where asked.

    Raises:
      ValueError: It cannot be loaded; the message says what would do.
    """
    name, options = config.dataset.name, config.dataset.options.to_dict()
    skip = config.input.skip_unreadable
    # A set that looks into its images while it is loaded has to leave them out itself.
    by_itself = "skip_unreadable" in datasets.options(name)
    if skip and by_itself:
        options["skip_unreadable"] = True
    dataset = datasets.load(name, **options)
    if skip and not by_itself:
        dataset = datasets.without_unreadable(dataset, config.input.threads)
    return dataset


def channels(
    config: ConfigDict, specification: ModelSpecification, dataset: Dataset
) -> tuple[Channels, Channels]:
    """Returns mean and standard deviation of the colours, as the settings want them."""
    if config.input.normalisation == "dataset":
        return dataset.mean, dataset.std
    return specification.mean or dataset.mean, specification.std or dataset.std


def check_settings(config: ConfigDict) -> None:
    """Raises ValueError where a setting of the images cannot be."""
    check_among("fit", [config.fit], FITS)
    check_among("augmentation.crop", [config.augmentation.crop], CROPS)
    check_among(
        "input.normalisation", [config.input.normalisation], ("model", "dataset")
    )
    for name, least in (("threads", 1), ("workers", 0)):
        if config.input[name] < least:
            raise ValueError(
                f"config.input.{name} is {config.input[name]}; it must be at least "
                f"{least}."
            )


def check_same_everywhere(
    dataset: Dataset, from_all: Callable[[str], list[str]] = from_all
) -> None:
    """Raises ValueError where the hosts of a job have found different images.

    Every host draws its part of a batch from its own list: where the lists differ, as
    after a photo that one host alone could not read, images would be repeated and
    labels be those of others.

    Args:
      dataset: What this host has found.
      from_all: Returns what each host says.
    """
    digest = hashlib.sha256("\n".join(dataset.class_names).encode())
    for split in (dataset.train, dataset.test):
        digest.update(np.asarray(split.labels, np.int64).tobytes())
    found = from_all(
        f"{len(dataset.train)} training and {len(dataset.test)} test images of "
        f"{dataset.num_classes} classes ({digest.hexdigest()[:8]})"
    )
    if len(set(found)) > 1:
        hosts = "; ".join(f"process {i}: {words}" for i, words in enumerate(found))
        raise ValueError(
            f"The hosts have found different images of {dataset.name}: {hosts}. Let "
            "all of them read the same folder, and start again."
        )


def check_training_images(dataset: Dataset) -> None:
    """Raises ValueError where a class has no training image: it cannot be learnt."""
    counts = np.bincount(dataset.train.labels, minlength=dataset.num_classes)
    empty = [dataset.class_names[label] for label in np.flatnonzero(counts == 0)]
    if empty:
        more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
        raise ValueError(
            f"The data set {dataset.name} has no training image of {len(empty)} of its "
            f"{dataset.num_classes} classes: {', '.join(empty[:10])}{more}. Add images "
            "of them, or take the classes out of class_names."
        )

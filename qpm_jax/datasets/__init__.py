"""What can be learned from: data sets by name, batches, augmentation, normalisation."""

from qpm_jax.datasets.augment import AugmentationPolicy, augment
from qpm_jax.datasets.catalogue import load, names, options
from qpm_jax.datasets.chosen_images import choose
from qpm_jax.datasets.dataset import Dataset, ImageSequence, Split
from qpm_jax.datasets.loader import (
    evaluation_batches,
    gather,
    iterate_from,
    training_batches,
)
from qpm_jax.datasets.normalise import channel_statistics, normalise
from qpm_jax.datasets.readable_images import without_unreadable

__all__ = [
    "AugmentationPolicy",
    "Dataset",
    "ImageSequence",
    "Split",
    "augment",
    "channel_statistics",
    "choose",
    "evaluation_batches",
    "gather",
    "iterate_from",
    "load",
    "names",
    "normalise",
    "options",
    "training_batches",
    "without_unreadable",
]

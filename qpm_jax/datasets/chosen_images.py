"""Some images of a split: its first classes, or those that can be read."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from qpm_jax.datasets.dataset import Dataset, ImageSequence, Split

logger = logging.getLogger(__name__)


class ChosenImages:
    """Images of a sequence at the given positions."""

    def __init__(self, images: ImageSequence, positions: Int[np.ndarray, " N"]) -> None:
        self._images, self._positions = images, positions

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def sources(self) -> list[Any]:
        """Where the images come from, of a sequence that tells.

        Raises:
            AttributeError: it does not, as those in memory or in records.
        """
        sources = self._images.sources  # type: ignore[missing-attribute]
        return [sources[position] for position in self._positions]

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns image `index` of the chosen ones."""
        return self._images[int(self._positions[index])]


def choose(split: Split, positions: Int[np.ndarray, " N"]) -> Split:
    """Returns the split with the images at the given positions only.

    Args:
        split: M images.
        positions: whole numbers [N], each in 0..M-1.

    Returns:
        N images in that order; the split itself where those are all its images.
    """
    positions = np.asarray(positions)
    if np.array_equal(positions, np.arange(len(split))):
        return split
    images, masks = split.images, split.part_masks
    return Split(
        images=images[positions]
        if isinstance(images, np.ndarray)
        else ChosenImages(images, positions),
        labels=split.labels[positions],
        part_masks=None if masks is None else masks[positions],
    )


def without_unreadable(dataset: Dataset, num_threads: int = 2) -> Dataset:
    """Returns the data set without the images that cannot be decoded.

    Every image is decoded once beforehand, so that batches and their order depend on
    nothing that happens later. What is left out is logged.

    Args:
        dataset: whose images raise ValueError where they cannot be decoded.
        num_threads: threads that decode.

    Raises:
        ValueError: no image of a split can be decoded.
    """
    return replace(
        dataset,
        train=readable(dataset.train, f"{dataset.name} train", num_threads),
        test=readable(dataset.test, f"{dataset.name} test", num_threads),
    )


def readable(split: Split, name: str, num_threads: int = 2) -> Split:
    """Returns the split without the images that cannot be decoded, which are logged.

    Args:
        split: see `without_unreadable`.
        name: what the log calls it.
        num_threads: threads that decode.

    Raises:
        ValueError: none of them can be decoded.
    """
    images = split.images
    if isinstance(images, np.ndarray):
        return split

    def problem(position: int) -> str:
        try:
            images[position]
        except ValueError as error:
            return str(error)
        return ""

    logger.info(
        "Decoding all %d images of %s to find those that fail", len(split), name
    )
    with ThreadPoolExecutor(num_threads) as pool:
        problems = list(pool.map(problem, range(len(split))))
    for text in filter(None, problems):
        logger.warning("Left out of %s: %s", name, text)
    left = np.flatnonzero([not text for text in problems])
    if not len(left):
        raise ValueError(f"no image of {name} can be read; the first: {problems[0]}")
    logger.info("%s: %d of %d images can be read", name, len(left), len(split))
    return choose(split, left)

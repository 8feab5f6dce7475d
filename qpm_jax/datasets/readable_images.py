"""Data sets without the images that cannot be decoded."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from qpm_jax import files
from qpm_jax.datasets.cache_folder import cache_folder
from qpm_jax.datasets.chosen_images import choose
from qpm_jax.datasets.dataset import Dataset, ImageSequence, Split
from qpm_jax.datasets.file_state import FileImages

logger = logging.getLogger(__name__)

Problems = dict[int, str]  # position of an image -> why it cannot be decoded


def without_unreadable(dataset: Dataset, num_threads: int = 2) -> Dataset:
    """Returns the data set without the images that cannot be decoded.

    Every image is decoded beforehand, once for all runs (`readable`), so that batches
    and their order depend on nothing that happens later. What is left out is logged.

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

    What was found is kept in the cache folder: while the files stay as they are, later
    runs and those that go on decode only what failed, as a disk may have been the
    reason.

    Args:
        split: see `without_unreadable`.
        name: what the log calls it.
        num_threads: threads that decode.

    Raises:
        ValueError: none of them can be decoded.
    """
    if isinstance(split.images, np.ndarray):
        return split
    kept = _kept_path(split.images)
    suspects = None if kept is None else _read(kept)
    if suspects is None:
        suspects = range(len(split))
        count = len(split)
        logger.info("Decoding all %d images of %s to find those that fail", count, name)
    problems = _decode(split.images, suspects, num_threads)
    if kept is not None and len(problems) != len(suspects):
        _keep(kept, problems)
    for text in problems.values():
        logger.warning("Left out of %s: %s", name, text)
    left = np.setdiff1d(np.arange(len(split)), list(problems))
    if not len(left):
        first = next(iter(problems.values()), "there is none")
        raise ValueError(f"no image of {name} can be read; the first: {first}")
    logger.info("%s: %d of %d images can be read", name, len(left), len(split))
    return choose(split, left)


def _decode(
    images: ImageSequence, positions: Sequence[int], num_threads: int
) -> Problems:
    def problem(position: int) -> str:
        try:
            images[position]
        except ValueError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(num_threads) as pool:
        texts = list(pool.map(problem, positions))
    pairs = zip(positions, texts, strict=True)
    return {position: text for position, text in pairs if text}


def _kept_path(images: ImageSequence) -> Path | None:
    """Returns where findings are kept, None for images that have no files."""
    state = images.files_state() if isinstance(images, FileImages) else None
    return None if state is None else cache_folder() / f"unreadable_{state[:32]}.json"


def _read(kept: Path) -> list[int] | None:
    """Returns the positions that failed at an earlier look."""
    try:
        found = sorted(map(int, files.read_json(kept).keys()))
    except (ValueError, AttributeError, OSError):
        return None  # none yet, or not ours: the images are decoded again
    logger.info("What failed at an earlier look is decoded again: %s", kept)
    return found


def _keep(kept: Path, problems: Problems) -> None:
    try:
        files.write_json(kept, problems)
    except OSError as error:
        logger.warning("What cannot be read is not kept, %s: %s", kept, error)

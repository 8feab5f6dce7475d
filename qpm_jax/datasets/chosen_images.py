"""Some images of a split, such as those of its first classes."""

import hashlib
from typing import Any

import numpy as np
from jaxtyping import Int

from qpm_jax.datasets.dataset import ImageSequence, Split
from qpm_jax.datasets.file_state import FileImages


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

    def files_state(self) -> str | None:
        """Returns a digest of files and positions, None where there are no files."""
        images = self._images
        state = images.files_state() if isinstance(images, FileImages) else None
        if state is None:
            return None
        positions = np.asarray(self._positions, np.int64).tobytes()
        return hashlib.sha256(state.encode() + positions).hexdigest()

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

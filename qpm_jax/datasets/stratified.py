"""A test set held back from every class alike, the same for the same seed."""

import numpy as np


def stratified_split(
    labels: np.ndarray, class_names: tuple[str, ...], test_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Splits samples into training and test, each class by the same fraction.

    A class's split depends on its own samples' order and its label only.

    Args:
        labels: whole numbers [N], 0..C-1.
        class_names: C names, for errors.
        test_fraction: share of each class to hold back, above 0 and below 1; rounded,
            at least one sample and never all.
        seed: 0 or more.

    Returns:
        Ascending indices of the training and of the test samples.

    Raises:
        ValueError: test_fraction outside (0,1), or a class with fewer than 2 samples.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"test_fraction must lie between 0 and 1, got {test_fraction}; "
            "0.2 holds back a fifth"
        )
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < 2:
        short = [class_names[c] for c in np.flatnonzero(counts < 2)]
        raise ValueError(
            f"every class needs 2 images to be split, these have fewer: {short}; add "
            "images, remove the class, or give train and test folders"
        )
    held_back = np.zeros(len(labels), bool)
    for label, count in enumerate(counts):
        members = np.flatnonzero(labels == label)
        size = int(np.clip(round(test_fraction * count), 1, count - 1))
        order = np.random.default_rng([seed, label]).permutation(count)
        held_back[members[order[:size]]] = True
    return np.flatnonzero(~held_back), np.flatnonzero(held_back)

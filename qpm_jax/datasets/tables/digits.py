"""scikit-learn's digits as black and white pixels: 64 features, without a download."""

from pathlib import Path

import numpy as np

from qpm_jax.datasets.tables.mnist import pixel_names
from qpm_jax.datasets.tables.table import Table


def load(root: str | Path | None = None) -> Table:
    """Returns the 1,797 digits; a pixel is 1 iff its grey value, 0 … 16, is above 8.

    Args:
        root: not needed, for this data set comes with scikit-learn.

    Returns:
        uint8 [1797, 64] of 0 and 1.
    """
    del root
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    return Table(
        name="digits",
        features=(np.asarray(pixels) > 8).astype(np.uint8),
        labels=np.asarray(target, np.int64),
        class_names=tuple(str(digit) for digit in range(10)),
        feature_names=pixel_names(8, 8),
        image_shape=(8, 8),
    )

"""scikit-learn's handwritten digits: real, tiny, there without a download."""

import numpy as np

from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.image_files import resize
from qpm_jax.datasets.normalise import channel_statistics
from qpm_jax.datasets.stratified import stratified_split


def load(image_size: int = 32, test_fraction: float = 0.25, seed: int = 0) -> Dataset:
    """Returns the 1,797 digits of 8x8 pixels as RGB images.

    Args:
        image_size: side in pixels to enlarge to (bilinear); 8 keeps them as they are.
        test_fraction: share of each class held back.
        seed: which ones are held back.

    Returns:
        A data set of 10 classes, uint8 [N,image_size,image_size,3].

    Raises:
        ValueError: an image_size below 8, or a test_fraction outside (0,1).
    """
    if image_size < 8:
        raise ValueError(f"image_size must be at least 8, got {image_size}")
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    grey = np.round(np.reshape(pixels, (-1, 8, 8)) * (255 / 16)).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    images = np.stack([resize(image, (image_size, image_size)) for image in rgb])
    labels = np.asarray(target, np.int32)
    names = tuple(str(digit) for digit in range(10))
    train, test = (
        Split(images[part], labels[part])
        for part in stratified_split(labels, names, test_fraction, seed)
    )
    mean, std = channel_statistics(train)
    return Dataset("digits", names, train, test, (image_size, image_size), mean, std)

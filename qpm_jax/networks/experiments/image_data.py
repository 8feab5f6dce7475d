"""Small grey images to train convolutional networks on: MNIST and digits.

MNIST's training images are drawn from the official training part and tested on all
10,000 official test images; scikit-learn's digits are split by class. Pixels are 0 … 1;
a smaller side is the mean over blocks.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.datasets.tables import mnist

NAMES = ("digits", "mnist")


@dataclass(frozen=True, eq=False)
class Images:
    """A data set; `official` of MNIST's training part come first.

    Attributes:
        name: "digits" or "mnist".
        images: float64 [N, H, W], 0 … 1.
        labels: int64 [N].
        official: how many belong to the official training part; 0 where there is none.
    """

    name: str
    images: Float[np.ndarray, "N H W"]
    labels: Int[np.ndarray, " N"]
    official: int


@dataclass(frozen=True, eq=False)
class ImageSplit:
    """A training and a test part.

    Attributes:
        images: float64 [n, H, W], to train on.
        labels: int64 [n].
        test_images: float64 [m, H, W].
        test_labels: int64 [m].
    """

    images: Float[np.ndarray, "n H W"]
    labels: Int[np.ndarray, " n"]
    test_images: Float[np.ndarray, "m H W"]
    test_labels: Int[np.ndarray, " m"]


def load(name: str, side: int = 0, root: str | Path | None = None) -> Images:
    """Reads a data set.

    Args:
        name: "digits" or "mnist".
        side: of the images, a divisor of 8 or 28; 0 leaves them as they are.
        root: folder of MNIST's files, as for the table "mnist".

    Raises:
        ValueError: for another name or side, or a file that is missing.
    """
    if name == "digits":
        from sklearn.datasets import load_digits

        pixels, target = load_digits(return_X_y=True)
        images, labels = np.reshape(pixels, (-1, 8, 8)) / 16, np.asarray(target)
        official = 0
    elif name == "mnist":
        pixels, labels, official = mnist.grey_images(root or None)
        images = pixels / 255
    else:
        raise ValueError(f"name is {name!r}; choose one of {', '.join(NAMES)}.")
    return Images(name, _smaller(images, side), labels.astype(np.int64), official)


def first_classes(source: Images, number: int) -> Images:
    """The images of the first so many classes.

    Args:
        source: the data set.
        number: 2 or more; 0 for all.

    Raises:
        ValueError: when there are not so many.
    """
    most = int(source.labels.max()) + 1
    if number != 0 and not 2 <= number <= most:
        raise ValueError(
            f"classes is {number}; {source.name} has {most}: give 2 … {most}, or 0 for"
            " all."
        )
    kept = source.labels < (number or most)
    official = int(kept[: source.official].sum())
    return Images(source.name, source.images[kept], source.labels[kept], official)


def split(source: Images, number: int, test_share: float, seed: int) -> ImageSplit:
    """Draws the training images.

    Args:
        source: the data set.
        number: training images; 0 for all there are.
        test_share: share of the test part where there is no official one.
        seed: of the draw.

    Raises:
        ValueError: when there are not so many.
    """
    from sklearn.model_selection import train_test_split

    if source.official:
        train = np.random.default_rng(seed).permutation(source.official)
        test = np.arange(source.official, len(source.labels))
    else:
        train, test = train_test_split(
            np.arange(len(source.labels)),
            test_size=test_share,
            random_state=seed,
            stratify=source.labels,
        )
    if not 0 <= number <= len(train):
        raise ValueError(
            f"training_images is {number}; {source.name} has {len(train)}."
        )
    train = train[: number or None]
    return ImageSplit(
        source.images[train],
        source.labels[train],
        source.images[test],
        source.labels[test],
    )


def _smaller(
    images: Float[np.ndarray, "N H W"], side: int
) -> Float[np.ndarray, "N h w"]:
    whole = images.shape[1]
    if not side or side == whole:
        return images
    if side < 0 or whole % side:
        raise ValueError(f"side is {side}; it must be a divisor of {whole}, or 0.")
    blocks = images.reshape(len(images), side, whole // side, side, whole // side)
    return blocks.mean(axis=(2, 4))

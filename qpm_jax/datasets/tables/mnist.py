"""MNIST as black and white pixels: 70,000 digits, 784 features, ten classes.

A pixel is 1 iff its grey value is above 255/2 (Tule, Le, Say, arXiv 2112.00434).
"""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from qpm_jax.datasets.tables.source_folder import first_file, source_folder
from qpm_jax.datasets.tables.table import Table

SIDE = 28
_PARTS = ("train", "t10k")
_HOW_TO_GET = (
    "Download train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,"
    " t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from"
    " https://storage.googleapis.com/cvdf-datasets/mnist/ into one folder, packed or"
    " unpacked, and give it as root."
)


def load(root: str | Path | None = None) -> Table:
    """Reads all 70,000 digits, the official training part first.

    Args:
        root: folder of the four idx files, .gz or unpacked; None takes data/mnist in
            the folder that QPM_JAX_SHARED names, or, without it, what
            tensorflow-datasets downloads.

    Returns:
        uint8 [70000, 784] of 0 and 1.

    Raises:
        ValueError: when a file is missing or is no idx file.
    """
    pixels, labels, official = grey_images(root)
    return Table(
        name="mnist",
        features=(pixels > 255 / 2).reshape(len(pixels), -1).astype(np.uint8),
        labels=labels,
        class_names=tuple(str(digit) for digit in range(10)),
        feature_names=pixel_names(SIDE, SIDE),
        official_train=np.arange(len(labels)) < official,
        image_shape=(SIDE, SIDE),
    )


def grey_images(
    root: str | Path | None = None,
) -> tuple[UInt8[np.ndarray, "N 28 28"], Int[np.ndarray, " N"], int]:
    """Reads the images as they are, the official training part first.

    Args:
        root: as for `load`.

    Returns:
        Pixels from 0 to 255, labels, and the size of the official training part.

    Raises:
        ValueError: when a file is missing or is no idx file.
    """
    folder = source_folder(root, "mnist")
    parts = [_downloaded(p) if folder is None else _read(folder, p) for p in _PARTS]
    pixels = np.concatenate([images for images, _ in parts])
    labels = np.concatenate([labels for _, labels in parts]).astype(np.int64)
    return pixels, labels, len(parts[0][1])


def pixel_names(height: int, width: int) -> tuple[str, ...]:
    """Names pixels by row and column, row by row."""
    return tuple(f"row {r} column {c}" for r in range(height) for c in range(width))


def _read(folder: Path, part: str) -> tuple[UInt8[np.ndarray, "n h w"], np.ndarray]:
    pixels = _read_idx(folder, f"{part}-images-idx3-ubyte", 3)
    labels = _read_idx(folder, f"{part}-labels-idx1-ubyte", 1)
    if pixels.shape[1:] != (SIDE, SIDE) or len(pixels) != len(labels):
        raise ValueError(
            f"root is {str(folder)!r}, where {part} has images of shape {pixels.shape}"
            f" and {len(labels)} labels; MNIST has {SIDE}x{SIDE} pixels and a label"
            f" each. {_HOW_TO_GET}"
        )
    return pixels, labels


def _read_idx(folder: Path, name: str, dimensions: int) -> UInt8[np.ndarray, "..."]:
    """Reads an idx file of bytes: two zeros, 8, dimensions, big-endian sizes, bytes."""
    path = first_file(folder, (f"{name}.gz", name), _HOW_TO_GET)
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise ValueError(f"{path} is damaged ({error}). {_HOW_TO_GET}") from error
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise ValueError(
            f"{path} is no idx file of {dimensions} dimensions. {_HOW_TO_GET}"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    values = np.frombuffer(content, np.uint8, offset=header)
    if values.size != np.prod(shape):
        raise ValueError(
            f"{path} holds {values.size} bytes for shape {shape}; it is cut short."
            f" {_HOW_TO_GET}"
        )
    return values.reshape(shape)


def _downloaded(part: str) -> tuple[UInt8[np.ndarray, "n h w"], Int[np.ndarray, " n"]]:
    """The same from tensorflow-datasets, which downloads it the first time."""
    import tensorflow_datasets as tfds

    split = {"train": "train", "t10k": "test"}[part]
    rows: Any = tfds.data_source("mnist", split=split)
    images, labels = zip(*((row["image"], row["label"]) for row in rows), strict=True)
    return np.stack(images)[..., 0], np.asarray(labels)

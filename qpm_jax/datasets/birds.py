"""The built-in set: small procedural birds, fine-grained, with the truth known.

In the spirit of FunnyBirds (Hesse et al., 2023): every class is a combination of
shared part attributes, and the class-attribute matrix and the visible pixels of each
part come with the images, so that structural grounding and plausibility can be
measured. Drawn on the processor from a seed, and kept in a file.
"""

import logging
import os
import zipfile
import zlib
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Int, UInt8

from qpm_jax import files
from qpm_jax.datasets import birds_attributes
from qpm_jax.datasets.birds_attributes import MAX_CLASSES, PARTS
from qpm_jax.datasets.birds_scene import IMAGE_SIZE, draw_image
from qpm_jax.datasets.cache_folder import cache_folder
from qpm_jax.datasets.dataset import Dataset, Split

logger = logging.getLogger(__name__)

# Raise it whenever a picture changes: it makes cached files of before invalid.
DRAWING_VERSION = 6
_CHUNK = 250  # images drawn at once: bounds memory, and one compilation serves all

Drawings = dict[str, np.ndarray]


def load(
    seed: int = 0,
    num_classes: int = 50,
    train_per_class: int = 60,
    test_per_class: int = 20,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Draws the birds, or reads them if they were drawn before.

    Image i of a class depends on the seed, the split, the class and i only: a larger
    set holds a smaller one. Classes do not depend on the seed.

    Args:
        seed: decides pose, light, background and occlusion of every image, 0 or more.
        num_classes: how many species, 2 to 100, five to a family of look-alikes.
        train_per_class: training images a class, at least 1.
        test_per_class: test images a class, at least 1.
        cache_dir: folder for the drawn images; None takes the environment variable
            QPM_JAX_CACHE, or else ~/.cache/qpm_jax.

    Returns:
        The data set, images uint8 [N,64,64,3] ordered by class, with part masks bool
        [N,6,64,64] and class attributes float64 [C,49].

    Raises:
        ValueError: an argument outside its range.
    """
    _check("seed", seed, 0, 2**31 - 1)
    _check("num_classes", num_classes, 2, MAX_CLASSES)
    _check("train_per_class", train_per_class, 1, 100_000)
    _check("test_per_class", test_per_class, 1, 100_000)
    counts = {"train": train_per_class, "test": test_per_class}
    path = _cache_path(cache_dir, seed, num_classes, counts)
    drawings = _read(path, num_classes, counts)
    if drawings is None:
        drawings = _draw(seed, num_classes, counts)
        _write(path, drawings)
    return _dataset(num_classes, counts, drawings)


def _check(argument: str, value: int, low: int, high: int) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise ValueError(
            f"{argument} must be a whole number from {low} to {high}, got {value!r}"
        )


def _dataset(num_classes: int, counts: dict[str, int], drawings: Drawings) -> Dataset:
    splits = {
        split: Split(
            images=drawings[f"{split}_images"],
            labels=np.repeat(np.arange(num_classes, dtype=np.int32), count),
            part_masks=part_masks(drawings[f"{split}_parts"]),
        )
        for split, count in counts.items()
    }
    mean, std = _channel_statistics(drawings["train_images"])
    return Dataset(
        name="birds",
        class_names=birds_attributes.class_names(num_classes),
        image_size=(IMAGE_SIZE, IMAGE_SIZE),
        mean=mean,
        std=std,
        class_attributes=birds_attributes.class_attributes(num_classes),
        attribute_names=birds_attributes.attribute_names(),
        part_names=PARTS,
        **splits,
    )


def part_masks(parts: UInt8[np.ndarray, "N H W"]) -> np.ndarray:
    """Where each part is seen, bool [N,parts,H,W], from the part number a pixel."""
    numbers = np.arange(1, len(PARTS) + 1, dtype=np.uint8)
    return parts[:, None] == numbers[:, None, None]


def _channel_statistics(
    images: UInt8[np.ndarray, "N H W 3"],
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    # From a histogram: exact, and without a float copy of all images.
    counts = np.stack(
        [np.bincount(images[..., c].ravel(), minlength=256) for c in range(3)]
    )
    levels = np.arange(256) / 255
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    std = np.sqrt(share @ levels**2 - mean**2)
    return tuple(mean.tolist()), tuple(std.tolist())


def _processor() -> jax.Device | None:
    # Always the processor: an accelerator rounds differently, so draws differently.
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        logger.warning(
            "Drawing the birds on %s: a few pixels may differ from those drawn on a "
            "processor. Add cpu to JAX_PLATFORMS to draw there.",
            jax.default_backend(),
        )
        return None


@jax.jit
def _draw_chunk(
    seed: Int[Array, ""],
    split: Int[Array, ""],
    identities: Int[Array, " chunk"],
    codes: Int[Array, "chunk groups"],
) -> tuple[UInt8[Array, "chunk H W 3"], UInt8[Array, "chunk H W"]]:
    key = jax.random.fold_in(jax.random.key(seed), split)
    keys = jax.vmap(lambda identity: jax.random.fold_in(key, identity))(identities)
    return jax.vmap(draw_image)(keys, codes)


def _draw_split(
    seed: int, split: int, num_classes: int, count: int
) -> tuple[UInt8[np.ndarray, "N H W 3"], UInt8[np.ndarray, "N H W"]]:
    labels = np.repeat(np.arange(num_classes), count)
    serials = np.tile(np.arange(count), num_classes)
    # The same image gets the same number in a set of any size.
    identities = serials * MAX_CLASSES + labels
    codes = birds_attributes.class_codes(num_classes)[labels]
    chunks = []
    for start in range(0, len(labels), _CHUNK):
        # The last chunk is filled up, so that one compiled shape serves all.
        rows = np.minimum(np.arange(start, start + _CHUNK), len(labels) - 1)
        chunk = _draw_chunk(seed, split, identities[rows], codes[rows])
        chunks.append(jax.device_get(chunk))
    images, parts = (
        np.concatenate(pieces)[: len(labels)] for pieces in zip(*chunks, strict=True)
    )
    return images, parts


def _draw(seed: int, num_classes: int, counts: dict[str, int]) -> Drawings:
    drawings: Drawings = {}
    with jax.default_device(_processor()):
        for number, (split, count) in enumerate(counts.items()):
            images, parts = _draw_split(seed, number, num_classes, count)
            drawings[f"{split}_images"], drawings[f"{split}_parts"] = images, parts
    return drawings


def _cache_path(
    folder: str | os.PathLike[str] | None,
    seed: int,
    num_classes: int,
    counts: dict[str, int],
) -> Path:
    name = f"birds_v{DRAWING_VERSION}_seed{seed}_classes{num_classes}"
    name += "".join(f"_{split}{count}" for split, count in counts.items())
    return cache_folder(folder) / f"{name}.npz"


def _expected_shapes(
    num_classes: int, counts: dict[str, int]
) -> dict[str, tuple[int, ...]]:
    picture = (IMAGE_SIZE, IMAGE_SIZE)
    shapes: dict[str, tuple[int, ...]] = {}
    for split, count in counts.items():
        shapes[f"{split}_images"] = (num_classes * count, *picture, 3)
        shapes[f"{split}_parts"] = (num_classes * count, *picture)
    return shapes


def _read(path: Path, num_classes: int, counts: dict[str, int]) -> Drawings | None:
    """The drawings kept at `path`, or None where there are none that are whole."""
    expected = _expected_shapes(num_classes, counts)
    try:
        # Opened here, as numpy leaves open a file that it cannot read.
        with path.open("rb") as file, np.load(file) as stored:
            drawings = {name: stored[name] for name in expected}
    except FileNotFoundError:
        return None
    # A file cut short or overwritten fails in any of these ways, by where it was hit.
    except (
        OSError,
        EOFError,
        KeyError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as e:
        logger.warning("Drawing the birds again, %s is not readable: %s", path, e)
        return None
    if any(
        drawings[name].shape != shape or drawings[name].dtype != np.uint8
        for name, shape in expected.items()
    ):
        logger.warning("Drawing the birds again, %s holds something else", path)
        return None
    return drawings


def _write(path: Path, drawings: Drawings) -> None:
    """Keeps the drawings whole or not at all; failing to keep them costs only time."""
    try:
        with files.replacing(path) as file:
            np.savez(file, allow_pickle=False, **drawings)
    except OSError as error:
        logger.warning("The drawn birds are not kept, %s: %s", path.parent, error)

"""CUB-200-2011 (Wah et al., 2011): birds, with the paper's crops and class attributes.

From the folder that CUB_200_2011.tgz unpacks to (or a smaller form of it), or as
tensorflow-datasets has prepared it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qpm_jax.datasets import records
from qpm_jax.datasets.chosen_images import choose
from qpm_jax.datasets.cub_folder import (
    DOWNLOAD,
    class_attributes,
    clean_name,
    find_root,
    list_images,
    numbered,
    scaled_box,
)
from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.datasets.listed_photos import check_listed
from qpm_jax.datasets.shared_folder import shared_folder

PREPARED = records.PreparedSet("caltech_birds2011", ("opencv-python-headless",))
# of the training images, as published with QPM's code
MEAN = (0.4853, 0.4964, 0.4295)
STD = (0.2300, 0.2258, 0.2625)


def load(
    root: str | Path | None = None,
    data_dir: str | Path | None = None,
    classes: int | None = None,
    cropped: bool = True,
    cache_gigabytes: float = 2.0,
) -> Dataset:
    """Lists the images by the official split; they are decoded when they are used.

    Photos come from the original folder, or from tensorflow-datasets where `data_dir`
    is given or there is no folder. That has no attributes; those of `root` are taken.

    Args:
        root: the CUB_200_2011 folder or the one around it; None takes data/cub in the
            folder that the environment variable QPM_JAX_SHARED names, or else in
            ../shared.
        data_dir: where tensorflow-datasets has prepared caltech_birds2011; None takes
            the environment variable TFDS_DATA_DIR, or else ~/tensorflow_datasets.
        classes: the first so many classes; None takes all whose images are there.
        cropped: cut the ground-truth bounding boxes out (the paper's main setting), or
            give whole images.
        cache_gigabytes: how much decoded image data each split may keep in memory.

    Returns:
        The data set, with class_attributes [C,312] in [0,1].

    Raises:
        ValueError: a missing folder or file, a line that cannot be read, or more
            classes asked for than there are.
    """
    in_shared = shared_folder() / "data" / "cub"
    if root is None and in_shared.is_dir():
        root = in_shared
    cache_bytes = int(cache_gigabytes * 2**30)
    folder = None if root is None else find_root(root)
    if folder is None or data_dir is not None:
        photos = _prepared_photos(data_dir, cropped, cache_bytes)
    else:
        photos = _folder_photos(folder, classes, cropped, cache_bytes)
    available = len(photos.names)
    classes = available if classes is None else classes
    if not 1 <= classes <= available:
        raise ValueError(
            f"classes must be 1 to {available}, as {photos.where} has the images of "
            f"that many classes, got {classes}"
        )
    attributes, attribute_names = None, ()
    if folder is not None:
        attributes, attribute_names = class_attributes(folder, classes)
    return Dataset(
        name="cub",
        class_names=photos.names[:classes],
        train=_first_classes(photos.train, classes),
        test=_first_classes(photos.test, classes),
        image_size=None,
        mean=MEAN,
        std=STD,
        class_attributes=attributes,
        attribute_names=attribute_names,
    )


@dataclass(frozen=True)
class _Photos:
    where: Path
    names: tuple[str, ...]
    train: Split
    test: Split


def _prepared_photos(
    data_dir: str | Path | None, cropped: bool, cache_bytes: int
) -> _Photos:
    folder = records.find(PREPARED, data_dir)
    if folder is None:
        raise ValueError(
            f"root is missing: get it with `{DOWNLOAD}` and give root=<the folder that "
            "CUB_200_2011.tgz unpacks to>; or, with tensorflow-datasets: "
            f"{records.how_to_prepare(PREPARED, data_dir)}"
        )
    train, test = (
        records.read(folder, split, cropped, cache_bytes) for split in ("train", "test")
    )
    names = tuple(clean_name(name) for name in train.folders)
    return _Photos(folder, names, train.split, test.split)


def _folder_photos(
    folder: Path, classes: int | None, cropped: bool, cache_bytes: int
) -> _Photos:
    container, prefix, listed = list_images(folder)
    if container == folder:  # not an archive
        wanted = [r for r in listed if classes is None or r.label < classes]
        paths = [record.path for record in wanted]
        check_listed(folder / prefix, paths, "CUB's split", "CUB_200_2011.tgz")
    boxes = numbered(folder / "bounding_boxes.txt") if cropped else None

    def split(training: bool) -> Split:
        chosen = [r for r in listed if r.is_training == training]
        sources = [ImageSource(prefix + r.path, scaled_box(boxes, r)) for r in chosen]
        labels = np.array([r.label for r in chosen], np.int32)
        return Split(LazyImages(container, sources, cache_bytes), labels)

    names = numbered(folder / "classes.txt")
    present = max(r.label for r in listed) + 1
    return _Photos(
        where=folder,
        names=tuple(clean_name(names[c + 1]) for c in range(present)),
        train=split(True),
        test=split(False),
    )


def _first_classes(split: Split, classes: int) -> Split:
    return choose(split, np.flatnonzero(split.labels < classes))

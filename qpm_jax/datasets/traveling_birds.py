"""TravelingBirds (Koh et al., 2020): CUB's birds before other backgrounds.

In `CUB_fixed` every class has a background of its own in training and another one in
the test. Each of its folders train and test holds all photos; which of them are
used there, and their boxes and attributes, is CUB-200-2011's to say.
"""

from pathlib import Path

import numpy as np

from qpm_jax.datasets.cub_folder import (
    DOWNLOAD,
    ImageRecord,
    class_attributes,
    clean_name,
    find_root,
    lists_in,
    numbered,
    official_records,
    scaled_box,
)
from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.datasets.listed_photos import check_listed

# of the training images, as published with QPM's code
MEAN = (0.4584, 0.4369, 0.3957)
STD = (0.2610, 0.2569, 0.2722)

# CodaLab hands the bundle out as one archive
_BUNDLE = (
    "https://worksheets.codalab.org/rest/bundles/0x518829de2aa440c79cd9d75ef6669f27/"
    "contents/blob/"
)
_GET_LISTS = f"`{DOWNLOAD}`, cub_root=CUB_200_2011"


def load(
    root: str | Path | None = None,
    cub_root: str | Path | None = None,
    background: str = "CUB_fixed",
    cropped: bool = True,
    cache_gigabytes: float = 2.0,
) -> Dataset:
    """Lists the images by CUB's split; they are decoded when they are used.

    Args:
        root: the folder that holds the folder `background`; must be given.
        cub_root: the CUB_200_2011 folder or the one around it, whose text files are
            needed (not its photos); None looks in `root`.
        background: the set's folder of photos; the paper's is CUB_fixed.
        cropped: cut the ground-truth bounding boxes out, or give whole images.
        cache_gigabytes: how much decoded image data each split may keep in memory.

    Returns:
        The data set, with CUB's class_attributes [200,312] in [0,1].

    Raises:
        ValueError: a missing folder or file.
    """
    if root is None:
        raise ValueError(
            "root is missing: it is TravelingBirds' folder; "
            f"{_how_to_get(background, cub_root)}"
        )
    folder = Path(root).expanduser() / background
    if not (folder / "train").is_dir() or not (folder / "test").is_dir():
        raise ValueError(
            f"root {root} has no {background}/train and {background}/test; "
            f"{_how_to_get(background, cub_root)}"
        )
    cub = _cub_lists(root, cub_root)
    records = official_records(cub)
    boxes = numbered(cub / "bounding_boxes.txt") if cropped else None
    names = numbered(cub / "classes.txt")
    attributes, attribute_names = class_attributes(cub, len(names))
    cache_bytes = int(cache_gigabytes * 2**30)
    train, test = (
        _split(folder / part, chosen, boxes, cache_bytes)
        for part, chosen in (
            ("train", [r for r in records if r.is_training]),
            ("test", [r for r in records if not r.is_training]),
        )
    )
    return Dataset(
        name="traveling_birds",
        class_names=tuple(clean_name(name) for name in names.values()),
        train=train,
        test=test,
        image_size=None,
        mean=MEAN,
        std=STD,
        class_attributes=attributes,
        attribute_names=attribute_names,
    )


def _how_to_get(background: str, cub_root: str | Path | None) -> str:
    lists = f". It needs CUB's lists too: {_GET_LISTS}" if cub_root is None else ""
    return (
        f"get it with `mkdir TravelingBirds && curl -L {_BUNDLE} | tar -xz -C "
        f"TravelingBirds` and give root=<the folder in it that holds {background}>"
        f"{lists}"
    )


def _cub_lists(root: str | Path, cub_root: str | Path | None) -> Path:
    if cub_root is not None:
        return find_root(cub_root, "cub_root")
    beside = lists_in(root)
    if beside is None:
        raise ValueError(
            "cub_root is missing: which photos are for training, their boxes and their "
            f"attributes are in CUB-200-2011's lists, and {root} has none; get them "
            f"with {_GET_LISTS}"
        )
    return beside


def _split(
    folder: Path,
    records: list[ImageRecord],
    boxes: dict[int, str] | None,
    cache_bytes: int,
) -> Split:
    paths = [record.path for record in records]
    check_listed(folder, paths, "CUB's split", "TravelingBirds")
    sources = [ImageSource(r.path, scaled_box(boxes, r)) for r in records]
    labels = np.array([r.label for r in records], np.int32)
    return Split(LazyImages(folder, sources, cache_bytes), labels)

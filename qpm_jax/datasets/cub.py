"""CUB-200-2011 (Wah et al., 2011): birds, with the paper's crops and class attributes.

Reads the folder that CUB_200_2011.tgz unpacks to, and a smaller form of it: the same
text files, one .zip of resized images and a *_index.csv with their old and new sizes.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages

# of the training images, as published with QPM's code
MEAN = (0.4853, 0.4964, 0.4295)
STD = (0.2300, 0.2258, 0.2625)


@dataclass(frozen=True)
class _Record:
    image_id: int
    path: str
    label: int
    is_training: bool
    scale: tuple[float, float]  # size here / original size, across and down


def load(
    root: str | Path | None = None,
    classes: int | None = None,
    cropped: bool = True,
    cache_gigabytes: float = 2.0,
) -> Dataset:
    """Lists the images by the official split; they are decoded when they are used.

    Args:
        root: the CUB_200_2011 folder or the one around it; None takes data/cub in the
            folder that the environment variable QPM_JAX_SHARED names.
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
    folder = _find_root(root)
    container, prefix, records = _list_images(folder)
    available = max(record.label for record in records) + 1
    classes = available if classes is None else classes
    if not 1 <= classes <= available:
        raise ValueError(
            f"classes must be 1 to {available}, as {folder} has the images of that "
            f"many classes, got {classes}"
        )
    boxes = _numbered(folder / "bounding_boxes.txt") if cropped else None
    cache_bytes = int(cache_gigabytes * 2**30)

    def split(training: bool) -> Split:
        chosen = [r for r in records if r.is_training == training and r.label < classes]
        sources = [ImageSource(prefix + r.path, _scaled_box(boxes, r)) for r in chosen]
        labels = np.array([r.label for r in chosen], np.int32)
        return Split(LazyImages(container, sources, cache_bytes), labels)

    class_names = _numbered(folder / "classes.txt")
    names = [_clean(class_names[c + 1]) for c in range(classes)]
    attributes, attribute_names = _class_attributes(folder, classes)
    return Dataset(
        name="cub",
        class_names=tuple(names),
        train=split(True),
        test=split(False),
        image_size=None,
        mean=MEAN,
        std=STD,
        class_attributes=attributes,
        attribute_names=attribute_names,
    )


def _find_root(root: str | Path | None) -> Path:
    if root is None:
        shared = os.environ.get("QPM_JAX_SHARED")
        if shared is None:
            raise ValueError(
                "root is missing: give root=<the CUB_200_2011 folder>, or set "
                "QPM_JAX_SHARED to the folder that has it under data/cub"
            )
        root = Path(shared) / "data" / "cub"
    root = Path(root).expanduser()
    for folder in (root, root / "CUB_200_2011"):
        if (folder / "classes.txt").is_file():
            return folder
    raise ValueError(
        f"root {root} is not the CUB-200-2011 folder (no classes.txt in it); unpack "
        "CUB_200_2011.tgz and give the folder it makes"
    )


def _list_images(folder: Path) -> tuple[Path, str, list[_Record]]:
    """Returns the container, the path prefix in it, and one record an image."""
    if (folder / "images").is_dir():
        return folder, "images/", _official_records(folder)
    archives = sorted(folder.glob("*.zip"))
    indices = sorted(folder.glob("*_index.csv"))
    if len(archives) != 1 or len(indices) != 1:
        raise ValueError(
            f"{folder} needs an images folder, or one .zip of images and one "
            f"*_index.csv; found {len(archives)} .zip and {len(indices)} *_index.csv"
        )
    return archives[0], "images/", _index_records(indices[0])


def _official_records(folder: Path) -> list[_Record]:
    paths = _numbered(folder / "images.txt")
    labels = _numbered(folder / "image_class_labels.txt")
    training = _numbered(folder / "train_test_split.txt")
    if not paths.keys() == labels.keys() == training.keys():
        raise ValueError(
            f"images.txt, image_class_labels.txt and train_test_split.txt in {folder} "
            "number different images; take all three from one CUB_200_2011.tgz"
        )
    present = {p.name for p in (folder / "images").iterdir() if p.is_dir()}
    records = [
        _Record(i, path, int(labels[i]) - 1, training[i] == "1", (1.0, 1.0))
        for i, path in paths.items()
        if path.split("/")[0] in present
    ]
    if not records:
        raise ValueError(f"{folder / 'images'} holds no image that images.txt names")
    return records


def _index_records(index: Path) -> list[_Record]:
    try:
        with index.open(newline="", encoding="utf-8") as file:
            records = [
                _Record(
                    int(row["image_id"]),
                    row["path"],
                    int(row["class_id"]) - 1,
                    row["is_training"] == "1",
                    (
                        int(row["w"]) / int(row["orig_w"]),
                        int(row["h"]) / int(row["orig_h"]),
                    ),
                )
                for row in csv.DictReader(file)
            ]
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"{index} cannot be read ({error!r}); it needs the columns image_id, path, "
            "class_id, is_training, orig_w, orig_h, w, h, all but path whole numbers"
        ) from error
    if not records:
        raise ValueError(f"{index} lists no images")
    return records


def _numbered(path: Path) -> dict[int, str]:
    """Reads a file whose lines are a number, a space and a value."""
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; it comes with CUB_200_2011.tgz: unpack that again"
        )
    values = {}
    for line_number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        number, _, value = line.strip().partition(" ")
        if not number.isdigit() or not value:
            raise ValueError(
                f"{path}, line {line_number}: expected a number and a value, got "
                f"{line!r}"
            )
        values[int(number)] = value
    return values


def _scaled_box(
    boxes: dict[int, str] | None, record: _Record
) -> tuple[int, int, int, int] | None:
    if boxes is None:
        return None
    try:
        x, y, width, height = map(float, boxes[record.image_id].split())
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"bounding_boxes.txt has no four numbers for image {record.image_id} "
            f"({record.path})"
        ) from error
    across, down = record.scale
    left, top = round(x * across), round(y * down)
    right, bottom = round((x + width) * across), round((y + height) * down)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _clean(class_name: str) -> str:
    """Turns "001.Black_footed_Albatross" into "Black footed Albatross"."""
    return class_name.partition(".")[2].replace("_", " ")


def _class_attributes(
    folder: Path, classes: int
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    values_path = folder / "attributes" / "class_attribute_labels_continuous.txt"
    # the official archive has the names one folder up, beside CUB_200_2011
    places = [folder / "attributes", folder, folder.parent]
    names_path = next(
        (p / "attributes.txt" for p in places if (p / "attributes.txt").is_file()), None
    )
    if not values_path.is_file() or names_path is None:
        return None, ()
    names = tuple(_numbered(names_path).values())
    values = np.loadtxt(values_path, ndmin=2)
    if len(values) < classes or values.shape[1] != len(names):
        raise ValueError(
            f"{values_path} is {list(values.shape)}, expected at least {classes} rows "
            f"of {len(names)}, as {names_path} names that many attributes"
        )
    return values[:classes] / 100, names

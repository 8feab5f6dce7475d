"""The folder that CUB_200_2011.tgz unpacks to: its lists of images, boxes, attributes.

Also a smaller form of it: the same text files, one .zip of resized images and a
*_index.csv with their old and new sizes.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# makes the folder CUB_200_2011
DOWNLOAD = (
    'curl -L "https://data.caltech.edu/records/65de6-vp158/files/'
    'CUB_200_2011.tgz?download=1" | tar -xz'
)


@dataclass(frozen=True)
class ImageRecord:
    """One photo of the lists.

    Attributes:
        image_id: its number in all lists.
        path: below the folder images.
        label: its class, from 0.
        is_training: by the official split.
        scale: size here over original size, across and down.
    """

    image_id: int
    path: str
    label: int
    is_training: bool
    scale: tuple[float, float]


def lists_in(root: str | Path) -> Path | None:
    """Returns the folder of classes.txt: `root`, or CUB_200_2011 in it, else None."""
    root = Path(root).expanduser()
    folders = (root, root / "CUB_200_2011")
    return next((f for f in folders if (f / "classes.txt").is_file()), None)


def find_root(root: str | Path, option: str = "root") -> Path:
    """Returns the folder of classes.txt, see `lists_in`.

    Args:
        root: that folder, or the one around it.
        option: what a data set calls it.

    Raises:
        ValueError: there is no classes.txt.
    """
    folder = lists_in(root)
    if folder is None:
        raise ValueError(
            f"{option} {root} is not the CUB-200-2011 folder (no classes.txt in it); "
            f"get it with `{DOWNLOAD}`, {option}=CUB_200_2011"
        )
    return folder


def list_images(folder: Path) -> tuple[Path, str, list[ImageRecord]]:
    """Returns the container, the path prefix in it, and one record an image."""
    if (folder / "images").is_dir():
        present = {p.name for p in (folder / "images").iterdir() if p.is_dir()}
        records = official_records(folder)
        here = [r for r in records if r.path.split("/")[0] in present]
        if not here:
            raise ValueError(
                f"{folder / 'images'} holds no image that images.txt names"
            )
        return folder, "images/", here
    archives = sorted(folder.glob("*.zip"))
    indices = sorted(folder.glob("*_index.csv"))
    if len(archives) != 1 or len(indices) != 1:
        raise ValueError(
            f"{folder} needs an images folder, or one .zip of images and one "
            f"*_index.csv; found {len(archives)} .zip and {len(indices)} *_index.csv. "
            f"Get the images with `{DOWNLOAD}`"
        )
    return archives[0], "images/", _index_records(indices[0])


def official_records(folder: Path) -> list[ImageRecord]:
    """Returns all photos of the lists, in their order.

    Raises:
        ValueError: a list is missing, cannot be read, or numbers other photos.
    """
    paths = numbered(folder / "images.txt")
    labels = numbered(folder / "image_class_labels.txt")
    training = numbered(folder / "train_test_split.txt")
    if not paths.keys() == labels.keys() == training.keys():
        raise ValueError(
            f"images.txt, image_class_labels.txt and train_test_split.txt in {folder} "
            "number different images; take all three from one CUB_200_2011.tgz"
        )
    return [
        ImageRecord(i, path, int(labels[i]) - 1, training[i] == "1", (1.0, 1.0))
        for i, path in paths.items()
    ]


def _index_records(index: Path) -> list[ImageRecord]:
    try:
        with index.open(newline="", encoding="utf-8") as file:
            records = [
                ImageRecord(
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


def numbered(path: Path) -> dict[int, str]:
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


def scaled_box(
    boxes: dict[int, str] | None, record: ImageRecord
) -> tuple[int, int, int, int] | None:
    """Returns (left, top, right, bottom) in pixels of the photo as it is here.

    Args:
        boxes: lines of bounding_boxes.txt by image number; None asks for no box.
        record: which photo.

    Raises:
        ValueError: there are no four numbers for it.
    """
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


def clean_name(class_name: str) -> str:
    """Turns "001.Black_footed_Albatross" into "Black footed Albatross"."""
    return class_name.partition(".")[2].replace("_", " ")


def class_attributes(
    folder: Path, classes: int
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Returns how far each class has each attribute, [C,312] in [0,1], and their names.

    Args:
        folder: of classes.txt.
        classes: how many of the classes, C.

    Returns:
        (None, ()) where the files are not there.

    Raises:
        ValueError: fewer classes or other attributes in one file than in the other.
    """
    values_path = folder / "attributes" / "class_attribute_labels_continuous.txt"
    # the official archive has the names one folder up, beside CUB_200_2011
    places = [folder / "attributes", folder, folder.parent]
    names_path = next(
        (p / "attributes.txt" for p in places if (p / "attributes.txt").is_file()), None
    )
    if not values_path.is_file() or names_path is None:
        return None, ()
    names = tuple(numbered(names_path).values())
    values = np.loadtxt(values_path, ndmin=2)
    if len(values) < classes or values.shape[1] != len(names):
        raise ValueError(
            f"{values_path} is {list(values.shape)}, expected at least {classes} rows "
            f"of {len(names)}, as {names_path} names that many attributes"
        )
    return values[:classes] / 100, names

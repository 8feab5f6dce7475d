"""FGVC-Aircraft (Maji et al., 2013): 100 variants of aircraft, from its own folder.

What tensorflow-datasets has of it (visual_domain_decathlon) is shrunk to 72 pixels and
has no test labels, so the original archive is read.
"""

from pathlib import Path

import numpy as np

from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.datasets.listed_photos import check_listed
from qpm_jax.datasets.normalise import channel_statistics
from qpm_jax.datasets.readable_images import readable

_ARCHIVE = (
    "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/"
    "fgvc-aircraft-2013b.tar.gz"
)
_HOW_TO_GET = f"get it with `curl -L {_ARCHIVE} | tar -xz`, root=fgvc-aircraft-2013b"
_STATISTICS_IMAGES = 300  # enough for three digits of mean and std


def load(
    root: str | Path | None = None,
    cropped: bool = False,
    cache_gigabytes: float = 2.0,
    skip_unreadable: bool = False,
) -> Dataset:
    """Lists 6,667 photos to train on and 3,333 to test on; they are decoded when used.

    Args:
        root: the folder fgvc-aircraft-2013b, or data in it; must be given.
        cropped: cut the bounding boxes out, or give whole photos, whose lowest 20 rows
            are a banner.
        cache_gigabytes: how much decoded image data each split may keep in memory.
        skip_unreadable: decode all photos and leave out those that cannot be.

    Returns:
        The data set; mean and std are measured on 300 training photos.

    Raises:
        ValueError: a missing folder, file or photo, or a line that cannot be read.
    """
    if root is None:
        raise ValueError(
            f"root is missing: it is FGVC-Aircraft's folder; {_HOW_TO_GET}"
        )
    given = Path(root).expanduser()
    folder = given / "data" if (given / "data").is_dir() else given
    if not (folder / "images").is_dir():
        raise ValueError(
            f"root {given} is not FGVC-Aircraft's folder (no images in it); "
            f"{_HOW_TO_GET}"
        )
    names = tuple(_lines(folder / "variants.txt"))
    boxes = _boxes(folder / "images_box.txt") if cropped else {}
    cache_bytes = int(cache_gigabytes * 2**30)
    train, test = (
        _split(folder, part, names, boxes, cache_bytes, check=not skip_unreadable)
        for part in ("trainval", "test")
    )
    if skip_unreadable:
        train, test = readable(train, "aircraft train"), readable(test, "aircraft test")
    mean, std = channel_statistics(train, _STATISTICS_IMAGES)
    return Dataset("fgvc_aircraft", names, train, test, None, mean, std)


def _split(
    folder: Path,
    part: str,
    names: tuple[str, ...],
    boxes: dict[str, tuple[int, int, int, int]],
    cache_bytes: int,
    check: bool,
) -> Split:
    path = folder / f"images_variant_{part}.txt"
    numbers, variants = zip(*(line.split(" ", 1) for line in _lines(path)), strict=True)
    unknown = sorted(set(variants) - set(names))
    if unknown:
        raise ValueError(f"{path} names variants that variants.txt does not: {unknown}")
    if check:
        photos = [f"images/{number}.jpg" for number in numbers]
        check_listed(folder, photos, path.name, "fgvc-aircraft-2013b.tar.gz")
    missing = [n for n in numbers if boxes and n not in boxes]
    if missing:
        raise ValueError(f"images_box.txt has no box for photo {missing[0]}")
    sources = [ImageSource(f"images/{n}.jpg", boxes.get(n)) for n in numbers]
    labels = np.array([names.index(variant) for variant in variants], np.int32)
    return Split(LazyImages(folder, sources, cache_bytes), labels)


def _boxes(path: Path) -> dict[str, tuple[int, int, int, int]]:
    boxes = {}
    for line in _lines(path):
        try:
            number, left, top, right, bottom = line.split()
            # the file counts from 1 and includes the last pixel
            box = int(left) - 1, int(top) - 1, int(right), int(bottom)
        except ValueError as error:
            raise ValueError(
                f"{path}: expected a photo and four whole numbers, got {line!r}"
            ) from error
        boxes[number] = box
    return boxes


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; it comes with {_ARCHIVE}: unpack it again"
        )
    return [
        line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()
    ]

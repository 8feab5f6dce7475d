"""ImageNet-1k (Russakovsky et al., 2015): 1000 classes, from class folders or records.

Labels count the classes in the order of their WordNet numbers (n01440764 first), as
published weights do.
"""

from collections import Counter
from pathlib import Path

from qpm_jax.datasets import records
from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.image_folder import class_folders, list_classes
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages

# what published ImageNet weights were trained with
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

PREPARED = records.PreparedSet(
    "imagenet2012",
    manual=(
        "download ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from "
        "https://image-net.org/download-images into FOLDER"
    ),
)

_Parts = tuple[tuple[str, ...], Split, Split]


def load(
    root: str | Path | None = None,
    data_dir: str | Path | None = None,
    names_file: str | Path | None = None,
    cache_gigabytes: float = 0.0,
) -> Dataset:
    """Lists the training photos and, as test, the 50,000 of validation.

    Args:
        root: the folder of train and val, both with one folder a class, or one that has
            them under ILSVRC/Data/CLS-LOC; None takes what tensorflow-datasets has
            prepared.
        data_dir: where that has prepared imagenet2012; None takes the environment
            variable TFDS_DATA_DIR, or else ~/tensorflow_datasets.
        names_file: lines of a WordNet number and its words, such as
            LOC_synset_mapping.txt; None calls classes by their numbers.
        cache_gigabytes: how much decoded image data each split may keep in memory.

    Returns:
        The data set.

    Raises:
        ValueError: a missing folder, two places, photos that lie in no class folder, or
            a class that the file of names lacks.
    """
    records.check_one_place(root, data_dir)
    cache_bytes = int(cache_gigabytes * 2**30)
    if root is None:
        numbers, train, test = _from_records(data_dir, cache_bytes)
    else:
        folder = _parts_folder(Path(root).expanduser())
        numbers, train, test = _from_folders(folder, cache_bytes)
    names = numbers
    if names_file is not None:
        names = _words(Path(names_file).expanduser(), numbers)
    return Dataset("imagenet", names, train, test, None, MEAN, STD)


def _from_records(data_dir: str | Path | None, cache_bytes: int) -> _Parts:
    folder = records.find(PREPARED, data_dir)
    if folder is None:
        raise ValueError(
            f"root is missing, and {records.how_to_prepare(PREPARED, data_dir)}; or "
            "give root=<the folder of train and val with one folder a class>"
        )
    train, test = (
        records.read(folder, split, False, cache_bytes)
        for split in ("train", "validation")
    )
    return train.label_names, train.split, test.split


def _parts_folder(root: Path) -> Path:
    inner = root / "ILSVRC" / "Data" / "CLS-LOC"
    folder = inner if inner.is_dir() else root
    if not all((folder / part).is_dir() for part in ("train", "val")):
        raise ValueError(
            f"root {root} has no folders train and val; give the folder that holds "
            "both, with one folder a class in each; or leave root out and let "
            f"tensorflow-datasets prepare it: {records.commands(PREPARED, None)}"
        )
    return folder


def _from_folders(folder: Path, cache_bytes: int) -> _Parts:
    numbers = class_folders(folder / "train")
    if not any(path.is_dir() for path in (folder / "val").iterdir()):
        raise ValueError(
            f"{folder / 'val'} holds photos but no class folders; sort them into "
            f"folders named as those of {folder / 'train'} (the devkit's "
            "ILSVRC2012_validation_ground_truth.txt says which photo is of which "
            "class), or let tensorflow-datasets prepare imagenet2012, which does it"
        )

    def split(part: str) -> Split:
        # opening a million files to look at their first bytes would take long
        files, labels = list_classes(folder, folder / part, numbers, check=False)
        sources = [ImageSource(file) for file in files]
        return Split(LazyImages(folder, sources, cache_bytes), labels)

    return numbers, split("train"), split("val")


def _words(path: Path, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the first of each class's words, with its number where two share it."""
    if not path.is_file():
        raise ValueError(f"names_file {path} is missing; leave it out, or correct it")
    lines = (line.split(maxsplit=1) for line in path.read_text("utf-8").splitlines())
    words = {parts[0]: parts[1].split(",")[0].strip() for parts in lines if parts[1:]}
    lacking = [number for number in numbers if number not in words]
    if lacking:
        raise ValueError(
            f"names_file {path} has no line for {len(lacking)} classes, such as "
            f"{lacking[0]}; its lines are a WordNet number and words"
        )
    times = Counter(words[number] for number in numbers)
    return tuple(
        words[number] if times[words[number]] == 1 else f"{words[number]} ({number})"
        for number in numbers
    )

"""Any user's images: a folder with one sub-folder a class.

Either `root/train/<class>/...` and `root/test/<class>/...` (or `val`, `valid`,
`validation` instead of `test`), or `root/<class>/...`, from which a test set is held
back, the same one for the same files and seed.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.image_files import check_header, is_image_name
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.datasets.normalise import channel_statistics
from qpm_jax.datasets.readable_images import readable
from qpm_jax.datasets.stratified import stratified_split

logger = logging.getLogger(__name__)

_TEST_NAMES = ("test", "val", "valid", "validation")
_STATISTICS_IMAGES = 500  # enough for three digits of mean and std


def load(
    root: str | Path,
    test_fraction: float = 0.2,
    seed: int = 0,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    cache_gigabytes: float = 1.0,
    skip_unreadable: bool = False,
) -> Dataset:
    """Lists the images of a folder tree; they are decoded when they are used.

    Classes are sorted by name. Images may lie deeper inside a class folder. Files that
    are no images by their ending are passed over, which is logged; so are hidden ones.

    Args:
        root: the folder.
        test_fraction: share of each class held back, where there is no test folder.
        seed: which images are held back.
        mean: colour mean to normalise by, in [0,1]; None measures up to 500 training
            images.
        std: colour standard deviation, likewise.
        cache_gigabytes: how much decoded image data each split may keep in memory.
        skip_unreadable: decode all images and leave out those that cannot be.

    Returns:
        The data set; its image_size is None, as sizes may differ.

    Raises:
        ValueError: a missing folder, no classes, a class without images, train and test
            classes that differ, a file that is no image; each names what and where.
    """
    # "" would be the working directory, which is never what was meant
    given, root = str(root), Path(root).expanduser()
    if not given or not root.is_dir():
        raise ValueError(
            f"root {given!r} is not a folder; give the folder that holds one folder a "
            "class, or train and test folders that do"
        )
    cache_bytes = int(cache_gigabytes * 2**30)
    names, parts = _listed_splits(root, test_fraction, seed, not skip_unreadable)
    train, test = (
        Split(LazyImages(root, [ImageSource(f) for f in files], cache_bytes), labels)
        for files, labels in parts
    )
    if skip_unreadable:
        train, test = readable(train, "folder train"), readable(test, "folder test")
    if mean is None or std is None:
        measured_mean, measured_std = channel_statistics(train, _STATISTICS_IMAGES)
        mean, std = mean or measured_mean, std or measured_std
    return Dataset("folder", names, train, test, None, _three(mean), _three(std))


Listing = tuple[list[str], np.ndarray]  # paths below root, int labels


def _listed_splits(
    root: Path, test_fraction: float, seed: int, check: bool
) -> tuple[tuple[str, ...], tuple[Listing, Listing]]:
    train_folder = root / "train"
    if not _is_split(train_folder):
        names = class_folders(root)
        files, labels = list_classes(root, root, names, check)
        split = stratified_split(labels, names, test_fraction, seed)
        train, test = (([files[i] for i in part], labels[part]) for part in split)
        return names, (train, test)
    test_folder = next((root / n for n in _TEST_NAMES if (root / n).is_dir()), None)
    if test_folder is None:
        raise ValueError(
            f"{train_folder} is there but no test folder beside it; add "
            f"{root / 'test'} with the same classes, or load {train_folder} itself "
            "to hold a test set back"
        )
    names = class_folders(train_folder)
    _check_same_classes(names, class_folders(test_folder), train_folder, test_folder)
    return names, (
        list_classes(root, train_folder, names, check),
        list_classes(root, test_folder, names, check),
    )


def _is_split(folder: Path) -> bool:
    # a class may be called "train": then it holds images itself
    return (
        folder.is_dir()
        and bool(_visible_folders(folder))
        and not any(is_image_name(p.name) for p in folder.iterdir())
    )


def _visible_folders(folder: Path) -> list[str]:
    return sorted(
        p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")
    )


def class_folders(folder: Path) -> tuple[str, ...]:
    """Returns the names of the class folders in a folder, sorted.

    Raises:
        ValueError: there are none.
    """
    names = tuple(_visible_folders(folder))
    if not names:
        raise ValueError(
            f"{folder} holds no class folders; put the images of each class into a "
            "folder of its own there"
        )
    return names


def list_classes(
    root: Path, folder: Path, names: tuple[str, ...], check: bool = True
) -> Listing:
    """Lists the images of each class, sorted by path.

    Args:
        root: what the paths are relative to.
        folder: the folder of class folders.
        names: of the class folders, in label order.
        check: open every file to see that it begins like an image.

    Returns:
        Paths and labels, int32.

    Raises:
        ValueError: a class without images, or a file that is none.
    """
    files, labels, passed_over = [], [], Counter()
    for label, name in enumerate(names):
        there = [path for path in (folder / name).rglob("*") if path.is_file()]
        paths = sorted(
            path.relative_to(root).as_posix()
            for path in there
            if is_image_name(path.name)
        )
        passed_over.update(
            path.suffix.lower() or path.name
            for path in there
            if not is_image_name(path.name) and not path.name.startswith(".")
        )
        if not paths:
            raise ValueError(
                f"class folder {folder / name} holds no images; add some (.jpg, .png, "
                ".webp ...), or remove the folder"
            )
        for path in paths if check else ():
            check_header(root / path)
        files += paths
        labels += [label] * len(paths)
    if passed_over:
        endings = ", ".join(f"{n} {ending}" for ending, n in passed_over.most_common(5))
        logger.warning("Passed over in %s, as no images: %s", folder, endings)
    return files, np.array(labels, np.int32)


def _check_same_classes(
    train: tuple[str, ...], test: tuple[str, ...], train_folder: Path, test_folder: Path
) -> None:
    only_train = sorted(set(train) - set(test))
    only_test = sorted(set(test) - set(train))
    if only_train or only_test:
        raise ValueError(
            f"class folders must be the same in {train_folder} and {test_folder}; only "
            f"in the first: {_shortened(only_train)}, only in the second: "
            f"{_shortened(only_test)}; rename, add or remove those"
        )


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{names[:10]}{more}"


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) != 3:
        raise ValueError(
            f"mean and std must be 3 numbers, one a colour channel, got {values}"
        )
    return float(values[0]), float(values[1]), float(values[2])

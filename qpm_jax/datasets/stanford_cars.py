"""Stanford Cars (Krause et al., 2013): 196 models of cars, never cropped in the paper.

From the original folder with its .mat files, from class folders, or as
tensorflow-datasets has prepared it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from qpm_jax.datasets import records
from qpm_jax.datasets.dataset import Dataset, Split
from qpm_jax.datasets.image_folder import class_folders, list_classes
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.datasets.listed_photos import check_listed

# of the training images, as published with QPM's code
MEAN = (0.4593, 0.4466, 0.4453)
STD = (0.2920, 0.2910, 0.2988)

PREPARED = records.PreparedSet("cars196")
_TEST_LABELS = "cars_test_annos_withlabels.mat"
# The authors' address is silent; this copy of their files needs a Kaggle account's key.
_HOW_TO_GET = (
    "get a copy with `pip install kaggle && kaggle datasets download --unzip "
    "rickyyyyyyy/torchvision-stanford-cars` and give root=stanford_cars"
)

_Parts = tuple[tuple[str, ...], Split, Split]


def load(
    root: str | Path | None = None,
    data_dir: str | Path | None = None,
    cache_gigabytes: float = 2.0,
) -> Dataset:
    """Lists the 8,144 training and 8,041 test photos; they are decoded when used.

    Args:
        root: the folder of cars_train, cars_test, devkit and
            cars_test_annos_withlabels.mat, or one with folders train and test of class
            folders; None takes what tensorflow-datasets has prepared.
        data_dir: where that has prepared cars196; None takes the environment variable
            TFDS_DATA_DIR, or else ~/tensorflow_datasets.
        cache_gigabytes: how much decoded image data each split may keep in memory.

    Returns:
        The data set.

    Raises:
        ValueError: a missing folder or file, one of another form, or two places.
    """
    records.check_one_place(root, data_dir)
    cache_bytes = int(cache_gigabytes * 2**30)
    if root is None:
        names, train, test = _from_records(data_dir, cache_bytes)
    else:
        folder = Path(root).expanduser()
        inner = folder / "stanford_cars"
        folder = inner if (inner / "devkit").is_dir() else folder
        original = (folder / "devkit").is_dir()
        read = _from_original if original else _from_class_folders
        names, train, test = read(folder, cache_bytes)
    return Dataset("stanford_cars", names, train, test, None, MEAN, STD)


def _from_records(data_dir: str | Path | None, cache_bytes: int) -> _Parts:
    folder = records.find(PREPARED, data_dir)
    if folder is None:
        raise ValueError(
            "root is missing: give root=<the folder of cars_train, cars_test and "
            f"devkit>, or {_HOW_TO_GET}; or, with tensorflow-datasets: "
            f"{records.how_to_prepare(PREPARED, data_dir)}, though the address that it "
            "downloads from (ai.stanford.edu) has been silent since 2023"
        )
    train, test = (
        records.read(folder, split, False, cache_bytes) for split in ("train", "test")
    )
    return train.label_names, train.split, test.split


def _from_original(folder: Path, cache_bytes: int) -> _Parts:
    labelled = folder / _TEST_LABELS
    if not labelled.is_file():  # some copies have it beside the others
        labelled = folder / "devkit" / _TEST_LABELS
    names = _mat(folder / "devkit" / "cars_meta.mat", "class_names")
    return (
        tuple(str(name) for name in names),
        _listed(
            folder / "cars_train", folder / "devkit/cars_train_annos.mat", cache_bytes
        ),
        _listed(folder / "cars_test", labelled, cache_bytes),
    )


def _listed(photos: Path, annotations: Path, cache_bytes: int) -> Split:
    if (photos / photos.name).is_dir():  # some copies are packed twice
        photos = photos / photos.name
    listed = _mat(annotations, "annotations")
    if listed.dtype.names is None or not {"fname", "class"} <= {*listed.dtype.names}:
        raise ValueError(
            f"{annotations} does not say which class each photo is; take the one with "
            f"labels ({_TEST_LABELS} for the test photos)"
        )
    files = [str(name) for name in listed["fname"]]
    check_listed(photos, files, annotations.name, "Stanford Cars")
    labels = np.array([int(label) - 1 for label in listed["class"]], np.int32)
    return Split(
        LazyImages(photos, [ImageSource(f) for f in files], cache_bytes), labels
    )


def _mat(path: Path, name: str) -> Any:
    from scipy.io import loadmat

    if not path.is_file():
        raise ValueError(f"{path} is missing; it comes with Stanford Cars' devkit")
    return np.atleast_1d(loadmat(path, squeeze_me=True)[name])


def _from_class_folders(folder: Path, cache_bytes: int) -> _Parts:
    if not all((folder / part).is_dir() for part in ("train", "test")):
        raise ValueError(
            f"root {folder} has neither a devkit folder nor train and test folders; "
            f"give the folder that Stanford Cars was unpacked to, or {_HOW_TO_GET}"
        )
    names = class_folders(folder / "train")

    def split(part: str) -> Split:
        files, labels = list_classes(folder, folder / part, names)
        sources = [ImageSource(file) for file in files]
        return Split(LazyImages(folder, sources, cache_bytes), labels)

    return names, split("train"), split("test")

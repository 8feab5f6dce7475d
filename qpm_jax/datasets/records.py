"""Photos that tensorflow-datasets has prepared, read by number without TensorFlow.

tensorflow-datasets writes a set once as array_record files, `<data_dir>/<name>/
<version>/`; writing them needs TensorFlow, reading them does not. Labels and boxes lie
inside the records beside the photos, so all records are read once to collect them, and
what was found is kept in a file.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax import files
from qpm_jax.datasets.cache_folder import cache_folder
from qpm_jax.datasets.dataset import Split
from qpm_jax.datasets.file_state import state_of
from qpm_jax.datasets.image_files import crop, decode_image, decode_stored
from qpm_jax.datasets.lazy_images import KeptImages

logger = logging.getLogger(__name__)

_CHUNK = 64  # records a thread reads at a time
_THREADS = 8  # waiting for the disk, mostly
# Where the sets say which file a photo was.
_NAMES = ("image/filename", "file_name", "id")


@dataclass(frozen=True)
class PreparedSet:
    """A set as tensorflow-datasets knows it.

    Attributes:
        name: there.
        packages: what preparing it needs beside TensorFlow.
        manual: what a person has to download first; "" where nothing.
    """

    name: str
    packages: tuple[str, ...] = ()
    manual: str = ""


@dataclass(frozen=True)
class Records:
    """One split of a prepared set.

    Attributes:
        split: its photos and labels.
        label_names: of the set's classes; numbers where it has no names.
        folders: of each class, the folder one of its photos came from, or "".
    """

    split: Split
    label_names: tuple[str, ...]
    folders: tuple[str, ...]


class RecordImages(KeptImages):
    """Photos in array_record files.

    Args:
        source: records by number, with the encoded photo under "image".
        folder: of the prepared set, by which errors call the source.
        split: as the set calls it.
        boxes: (top, left, bottom, right) of each image as shares of height and width,
            to cut out; None takes whole photos.
        cache_bytes: see `KeptImages`.
    """

    def __init__(
        self,
        source: Sequence[Any],
        folder: Path,
        split: str,
        boxes: Float[np.ndarray, "N 4"] | None,
        cache_bytes: int,
    ) -> None:
        super().__init__(len(source), cache_bytes)
        self._source, self._boxes = source, boxes
        self._folder, self._split = folder, split

    def files_state(self) -> str:
        """Returns a digest that is another one once a file of the set is."""
        paths = sorted(self._folder.resolve().iterdir())
        return state_of(paths, self._split, self._boxes is not None)

    def decode(self, position: int) -> np.ndarray:
        """Reads a photo and cuts its box out."""
        record = self._source[position]
        where = f"{self._folder} {self._split}"
        name = f"{where}, record {position}{_file_name(record)}"
        if self._boxes is None:
            return decode_image(record["image"], name)
        image = decode_stored(record["image"], name)
        height, width = image.shape[:2]
        top, left, bottom, right = self._boxes[position].tolist()
        box = round(left * width), round(top * height)
        end = round(right * width), round(bottom * height)
        return crop(
            image, (*box, max(end[0], box[0] + 1), max(end[1], box[1] + 1)), name
        )


def find(prepared: PreparedSet, data_dir: str | Path | None) -> Path | None:
    """Returns the newest prepared version of a set, None where there is none.

    Args:
        prepared: which set.
        data_dir: where tensorflow-datasets keeps its sets; None takes the environment
            variable TFDS_DATA_DIR, or else ~/tensorflow_datasets.

    Raises:
        ValueError: it is there, but in files that cannot be read by number.
    """
    folder = data_folder(data_dir) / prepared.name
    versions = [path.parent for path in folder.glob("*/dataset_info.json")]
    if not versions:
        return None
    newest = max(versions, key=_version)
    formats = _formats(newest)
    if "array_record" not in formats:
        raise ValueError(
            f"{newest} is prepared as {formats[0]}, which cannot be read by number; "
            f"add array_record files with `tfds convert_format --dataset_version_dir="
            f"{newest} --out_file_format=array_record` (it needs tensorflow)"
        )
    return newest


def data_folder(data_dir: str | Path | None) -> Path:
    """Returns the folder of prepared sets, see `find`."""
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(data_dir or default).expanduser()


def check_one_place(root: str | Path | None, data_dir: str | Path | None) -> None:
    """Raises ValueError where a set is to come from two places."""
    if root is not None and data_dir is not None:
        raise ValueError(
            f"root {str(root)!r} and data_dir {str(data_dir)!r} are both given; give "
            "root for the set's own folder, or data_dir for the one that "
            "tensorflow-datasets prepared"
        )


def how_to_prepare(prepared: PreparedSet, data_dir: str | Path | None) -> str:
    """Returns that a set is not prepared, and the commands that do it, for an error."""
    return (
        f"{prepared.name} is not in {data_folder(data_dir)}; prepare it once: "
        f"{commands(prepared, data_dir)}"
    )


def commands(prepared: PreparedSet, data_dir: str | Path | None) -> str:
    """Returns the commands that prepare a set."""
    packages = " ".join(("tensorflow", *prepared.packages))
    manual = f"{prepared.manual}, then " if prepared.manual else ""
    option = " --manual_dir=FOLDER" if prepared.manual else ""
    return (
        f"{manual}`pip install {packages}` (for this step only) and `tfds build "
        f"{prepared.name} --file_format=array_record "
        f"--data_dir={data_folder(data_dir)}{option}`"
    )


def read(folder: Path, split: str, boxed: bool, cache_bytes: int) -> Records:
    """Opens one split of a prepared set.

    Args:
        folder: from `find`.
        split: as the set calls it.
        boxed: whether photos are cut to their bounding boxes.
        cache_bytes: see `KeptImages`.

    Raises:
        ValueError: there is no such split, or no bounding boxes, or the files are
            incomplete.
    """
    import tensorflow_datasets as tfds

    builder: Any = tfds.builder_from_directory(folder)
    features = builder.info.features
    if split not in builder.info.splits:
        raise ValueError(
            f"{folder} has no split {split!r}, only {sorted(builder.info.splits)}; "
            "prepare the set again"
        )
    encoded = {
        name: tfds.decode.SkipDecoding()
        for name, feature in features.items()
        if isinstance(feature, tfds.features.Image)
    }
    source = builder.as_data_source(split, decoders=encoded)
    notes = _annotations(folder, split, source)
    boxes = notes["boxes"] if boxed else None
    if boxes is not None and len(boxes) != len(source):
        raise ValueError(f"{folder} has no bounding boxes; load the set uncropped")
    return Records(
        split=Split(
            RecordImages(source, folder, split, boxes, cache_bytes),
            notes["labels"],
        ),
        label_names=tuple(features["label"].names),
        folders=tuple(map(str, notes["folders"])),
    )


def _annotations(
    folder: Path, split: str, source: Sequence[Any]
) -> dict[str, np.ndarray]:
    """Returns labels [N], boxes [N,4] (or none at all) and a folder a class."""
    kept = _kept_path(folder, split)
    try:
        notes = files.read_arrays(kept)
        if len(notes["labels"]) == len(source):
            return notes
    except (ValueError, KeyError, OSError):
        pass  # none yet, or not ours: they are read again
    logger.info("Reading the labels of %d records in %s, once", len(source), folder)
    starts = range(0, len(source), _CHUNK)
    with ThreadPoolExecutor(_THREADS) as pool:
        chunks = pool.map(lambda start: _read_notes(source, start), starts)
        rows = [row for chunk in chunks for row in chunk]
    labels = np.array([row[0] for row in rows], np.int32)
    boxes = [row[1] for row in rows if row[1] is not None]
    parents = dict(zip(labels.tolist(), (row[2] for row in rows), strict=True))
    count = int(labels.max(initial=-1)) + 1
    notes = {
        "labels": labels,
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "folders": np.array([parents.get(c, "") for c in range(count)], np.str_),
    }
    try:
        files.write_arrays(kept, notes)
    except OSError as error:
        logger.warning("The labels are not kept, %s: %s", kept, error)
    return notes


def _read_notes(
    source: Sequence[Any], start: int
) -> list[tuple[int, np.ndarray | None, str]]:
    records = (source[i] for i in range(start, min(start + _CHUNK, len(source))))
    return [
        (
            int(record["label"]),
            record.get("bbox"),
            PurePosixPath(_file_name(record).strip(" ()")).parent.name,
        )
        for record in records
    ]


def _file_name(record: dict[str, Any]) -> str:
    """Returns " (file)" where the record says which file the photo was."""
    for name in _NAMES:
        if name in record:
            return f" ({record[name].decode()})"
    return ""


def _kept_path(folder: Path, split: str) -> Path:
    """Returns where the labels are kept: another path for other files."""
    info = folder / "dataset_info.json"
    state = (
        f"{folder.resolve()} {info.stat().st_mtime_ns} ".encode() + info.read_bytes()
    )
    digest = hashlib.sha256(state).hexdigest()[:12]
    name = f"records_{folder.parent.name}_{folder.name}_{split}_{digest}.npz"
    return cache_folder() / name


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.split(".") if part.isdigit())


def _formats(folder: Path) -> list[str]:
    info = json.loads((folder / "dataset_info.json").read_text())
    # Sets of earlier versions of tensorflow-datasets do not say: they are tfrecords.
    first = info.get("fileFormat") or "tfrecord"
    return [first, *info.get("alternativeFileFormats", [])]

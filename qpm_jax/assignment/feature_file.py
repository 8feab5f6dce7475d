"""Reads an assignment instance from one .npz file, from whatever wrote it.

Either `features` and `labels`, with `is_train` where only some rows may be used, or the
statistics `A`, `R` and `b` themselves. Names are checked, because a misspelt `is_train`
would otherwise let test images choose the features.
"""

import difflib
import logging
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from qpm_jax.assignment.from_features import (
    FeatureInstance,
    instance_from_features,
    instance_from_similarity,
)

logger = logging.getLogger(__name__)

_OF_FEATURES = ("features", "labels", "is_train", "bias", "b", "per_class")
_OF_STATISTICS = ("A", "R", "b", "bias", "classes", "per_class")
_KNOWN = tuple(dict.fromkeys((*_OF_FEATURES, *_OF_STATISTICS)))
# What other programs call the same thing and no spelling comes near to.
_SYNONYMS = {
    "x": "features",
    "embeddings": "features",
    "y": "labels",
    "targets": "labels",
    "target": "labels",
    "train": "is_train",
    "train_mask": "is_train",
    "similarity": "A",
    "redundancy": "R",
}
_ACCEPTED = (
    "Accepted are features [N, F] and labels [N], with is_train [N], bias (or b) [F]"
    " and per_class [C] where wanted; or A [F, C], with R [F, F], b (or bias) [F],"
    " classes [C] and per_class [C] where wanted."
)


def read_instance(path: str | Path) -> FeatureInstance:
    """Reads features and labels, or A, R and b.

    Args:
        path: a .npz file. Labels are any integers, of which each one that occurs is a
            class; only rows of `is_train` are looked at. Keys that resemble no accepted
            one are ignored with a warning.

    Returns:
        The instance; without `R` it is computed from `A`, without `b` there is no bias.

    Raises:
        ValueError: no such file, no .npz, names that are not known, or arrays that are
            malformed; the message names the file.
    """
    path = Path(path)
    try:
        return _instance(_arrays(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_bias(path: str | Path) -> Float[np.ndarray, " F"]:
    """Reads a bias vector: .npy, or text with a number a line (or commas between).

    Raises:
        ValueError: no such file, or not numbers in one row or column.
    """
    path = Path(path)
    try:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            text = path.read_text().replace(",", " ")
            values = np.array(text.split(), np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(
            f"{path} cannot be read as a bias ({error}); give a .npy file or a text"
            " file with a number a line, one a feature."
        ) from error
    if values.dtype.kind not in "fiub" or values.ndim != 1:
        raise ValueError(
            f"{path} holds {values.dtype} {list(values.shape)}; a bias is [F] numbers,"
            " one a feature."
        )
    return values.astype(np.float64)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the names that are accepted, and no others."""
    if not path.is_file():
        raise ValueError("there is no such file; give a .npz file.")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            "it is no .npz file, or was cut short; numpy.savez(path, features=...,"
            f" labels=...) writes one. {_ACCEPTED}"
        )
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        names = _checked_names(arrays.files)
        return {name: _array(arrays, name) for name in names}


def _array(arrays: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        array = arrays[name]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be read ({error}); save it again, as plain numbers."
        ) from error
    if name != "classes" and array.dtype.kind not in "fiub":
        raise ValueError(f"{name} holds {array.dtype}; it must hold plain numbers.")
    return array


def _checked_names(found: Iterable[str]) -> list[str]:
    """The names to read, or an error that says what is there and what was meant."""
    found = list(found)
    given = set(found)
    wanted = _OF_STATISTICS if "A" in given else _OF_FEATURES
    missing = [] if "A" in given else sorted({"features", "labels"} - given)
    strange = [name for name in found if name not in _KNOWN]
    meant = {name: _nearest(name, _KNOWN if missing else wanted) for name in strange}
    # A misspelt name of something that is there as well is just another array.
    misspelt = {old: new for old, new in meant.items() if new and new not in given}
    if missing or misspelt:
        needs = f" It lacks {' and '.join(missing)}." if missing else ""
        hints = [f"rename {old} to {new}" for old, new in misspelt.items()]
        hint = f" Did you mean to {', '.join(hints)}?" if hints else ""
        there = ", ".join(found) or "nothing"
        raise ValueError(f"the file holds {there}.{needs}{hint} {_ACCEPTED}")
    both = sorted(given & set(_KNOWN) - set(wanted))
    if both:
        raise ValueError(
            f"the file holds A and {', '.join(both)}; give the features or the"
            f" statistics, not both. {_ACCEPTED}"
        )
    if {"b", "bias"} <= given:
        raise ValueError("the file holds b and bias, which mean the same; keep one.")
    if strange:
        logger.warning("Ignored, as no accepted name: %s.", ", ".join(strange))
    return [name for name in wanted if name in given]


def _nearest(name: str, accepted: Iterable[str]) -> str | None:
    """The accepted name that was meant, where one is near."""
    lower = {known.lower(): known for known in accepted}
    synonym = _SYNONYMS.get(name.lower(), "")
    if synonym.lower() in lower:
        return synonym
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
    return lower[near[0]] if near else None


def _instance(arrays: dict[str, np.ndarray]) -> FeatureInstance:
    bias = arrays.get("bias", arrays.get("b"))
    per_class = arrays.get("per_class")
    if per_class is not None:
        per_class = _whole("per_class", per_class)
    if "A" in arrays:
        return instance_from_similarity(
            arrays["A"], arrays.get("R"), bias, arrays.get("classes"), per_class
        )
    features, labels = arrays["features"], _whole("labels", arrays["labels"])
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(
            f"features have shape {features.shape} and labels {labels.shape}; they must"
            " be [samples, features] and [samples], one label a row."
        )
    if "is_train" in arrays:
        rows = _mask(arrays["is_train"], len(features))
        unseen = sorted(set(labels[~rows].tolist()) - set(labels[rows].tolist()))
        if unseen:
            logger.warning(
                "Ignored, as no row of is_train has them: labels %s.", unseen
            )
        features, labels = features[rows], labels[rows]
    return instance_from_features(features, labels, bias, per_class)


def _whole(name: str, values: np.ndarray) -> Int[np.ndarray, "..."]:
    """Whole numbers as integers, whatever type they were saved in."""
    if values.dtype.kind in "iu":
        return values
    whole = np.isfinite(values) & (values == np.floor(values))
    if not whole.all():
        raise ValueError(
            f"{name} must be whole numbers, but holds {values[~whole].flat[0]}; round"
            " or number them."
        )
    return values.astype(np.int64)


def _mask(values: np.ndarray, samples: int) -> Bool[np.ndarray, " N"]:
    if values.shape != (samples,):
        raise ValueError(
            f"is_train has shape {values.shape}; it must be [{samples}], one a row of"
            " features."
        )
    if not np.isin(values, (0, 1)).all():
        raise ValueError("is_train must hold only True and False (or 1 and 0).")
    if not values.any():
        raise ValueError("is_train is False for every row; no row is left to use.")
    return values.astype(bool)

"""The whole model on one sheet: which features describe which class, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.explain.colours import hex_code, palette
from qpm_jax.explain.contrast import as_assignment, class_contrast, most_alike_pairs
from qpm_jax.explain.names import feature_labels

FORMAT = "qpm_jax.sheet/1"


def _features(
    weights: Bool[np.ndarray, "C n"],
    selected: Int[np.ndarray, " n"],
    mean: Float[np.ndarray, " n"],
    std: Float[np.ndarray, " n"],
    labels: tuple[str, ...],
) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "channel": int(channel),
            "name": labels[index],
            "mean": float(mean[index]),
            "std": float(std[index]),
            "colour": hex_code(colour),
            "classes": np.flatnonzero(weights[:, index]).tolist(),
        }
        for index, (channel, colour) in enumerate(
            zip(selected, palette(len(selected)), strict=True)
        )
    ]


def _classes(
    class_names: tuple[str, ...],
    weights: Bool[np.ndarray, "C n"],
    selected: Int[np.ndarray, " n"],
) -> list[dict[str, Any]]:
    rows = [np.flatnonzero(row) for row in weights]
    return [
        {
            "index": index,
            "name": str(name),
            "features": row.tolist(),
            "channels": selected[row].tolist(),
        }
        for index, (name, row) in enumerate(zip(class_names, rows, strict=True))
    ]


def _most_alike(
    weights: Bool[np.ndarray, "C n"], num_pairs: int
) -> list[dict[str, Any]]:
    pairs = most_alike_pairs(weights, limit=num_pairs).tolist()
    return [asdict(class_contrast(weights, first, second)) for first, second in pairs]


def _check_sizes(
    class_names: tuple[str, ...],
    shape: tuple[int, ...],
    selected: Int[np.ndarray, " n"],
    mean: Float[np.ndarray, " n"],
    std: Float[np.ndarray, " n"],
) -> None:
    num_classes, num_features = shape
    for name, array in (("selected", selected), ("mean", mean), ("std", std)):
        if array.shape != (num_features,):
            raise ValueError(
                f"{name} has shape {array.shape}; the assignment has "
                f"{num_features} features"
            )
    if len(class_names) != num_classes:
        raise ValueError(
            f"class_names has {len(class_names)} names; the assignment has "
            f"{num_classes} classes"
        )


def class_feature_sheet(
    class_names: tuple[str, ...],
    assignment: Bool[ArrayLike, "C n"],
    selected: Int[ArrayLike, " n"],
    mean: Float[ArrayLike, " n"],
    std: Float[ArrayLike, " n"],
    num_pairs: int = 50,
    names: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Writes down the assignment so that a person or a program can read it.

    Args:
        class_names: one a class.
        assignment: which features describe which class.
        selected: the features' channels in the backbone.
        mean: of each selected feature over the training set.
        std: likewise, population standard deviation.
        num_pairs: how many of the most alike pairs of classes to list.
        names: what a person calls the features, by channel.

    Returns:
        A dict that `json.dumps` takes. `features` have index, channel, name (such as
        `feature 17` where none is given), mean, std, colour and classes; `classes`
        have index, name, features (as indices) and channels; `most_alike` lists pairs
        with shared, only_first, only_second.

    Raises:
        ValueError: if the sizes differ.
    """
    weights, selected = as_assignment(assignment), np.asarray(selected)
    mean, std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    num_classes, num_features = weights.shape
    _check_sizes(class_names, weights.shape, selected, mean, std)
    labels = feature_labels(selected, names or {})
    return {
        "format": FORMAT,
        "num_classes": num_classes,
        "num_features": num_features,
        "features": _features(weights, selected, mean, std, labels),
        "classes": _classes(class_names, weights, selected),
        "most_alike": _most_alike(weights, num_pairs),
    }

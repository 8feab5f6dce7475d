"""What is behind a model's metrics, as plain JSON: curves, features, confusions."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax import metrics
from qpm_jax.datasets import Dataset
from qpm_jax.phases import truth
from qpm_jax.phases.passes import HeldOutFigures


def of_curves(faithful: metrics.Faithfulness, images: int) -> dict[str, Any]:
    """Returns the curves of deletion and insertion, and of a random order."""
    return {
        "images": images,
        "deletion": faithful.deletion.tolist(),
        "insertion": faithful.insertion.tolist(),
        "random": faithful.random.tolist(),
        "random_area": faithful.random_area,
    }


def of_masks(dataset: Dataset, test: HeldOutFigures) -> dict[str, Any] | None:
    """Returns the plausibility by mask, and what a map that is even everywhere gets."""
    if test.plausibility is None or test.coverage is None:
        return None
    shares = test.plausibility.tolist(), test.coverage.tolist()
    return {
        name: {"share": share, "by_chance": chance}
        for name, share, chance in zip(truth.mask_names(dataset), *shares, strict=True)
    }


def of_features(
    dataset: Dataset,
    channels: Int[np.ndarray, " F"],
    meanings: dict[str, Float[np.ndarray, " F"]],
    lifts: Float[np.ndarray, "F A"] | None,
) -> dict[str, Any]:
    """Returns for each feature its monosemanticity and its best attribute.

    Args:
      dataset: Names the attributes.
      channels: The features' channels in the backbone, which are their names.
      meanings: Named values a feature; NaN becomes None.
      lifts: Of each feature for each attribute; NaN where not defined.
    """
    known = None if lifts is None else np.nan_to_num(lifts, nan=-np.inf)
    result = {}
    for feature, channel in enumerate(channels.tolist()):
        entry: dict[str, Any] = {
            name: _number(values[feature]) for name, values in meanings.items()
        }
        if known is not None:
            best = int(known[feature].argmax())
            entry["attribute"] = dataset.attribute_names[best]
            entry["lift"] = _number(known[feature, best])
        result[str(channel)] = entry
    return result


def of_confusions(
    dataset: Dataset,
    channels: Int[np.ndarray, " F"],
    confusions: tuple[metrics.Confusion, ...],
) -> list[dict[str, Any]]:
    """Returns which classes are confused, how often, and what each feature adds.

    A feature that both classes use, or neither, adds nothing and is left out.
    """
    return [
        {
            "class": dataset.class_names[confusion.true],
            "taken_for": dataset.class_names[confusion.predicted],
            "images": confusion.count,
            "share": confusion.share,
            "lead": confusion.lead,
            "features": {
                str(channels[feature]): float(confusion.contributions[feature])
                for feature in np.argsort(-confusion.contributions, kind="stable")
                if confusion.contributions[feature] != 0
            },
        }
        for confusion in confusions
    ]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None

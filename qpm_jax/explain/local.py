"""Why one image got its class: a sum of k features, against the runner-up class.

QPM's logits are z Wᵀ with a binary W and no bias (docs/formulas.md, Model and head), so
the score of a class is exactly the sum of the normalised values of its features, and
what two classes share cancels in their difference.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.explain.contrast import as_assignment, class_contrast


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to a class's score, and to the margin between two."""

    feature: int  # column of the assignment
    channel: int  # channel of the backbone
    name: str  # as a person knows it
    value: float  # normalised value z, which is what it adds to the score
    shared: bool  # whether the other class of the explanation has it too
    to_margin: float  # z; -z where only the runner-up has it; 0 where both have it


@dataclass(frozen=True)
class ClassScore:
    """A class, its score and the features the score is the sum of, largest first."""

    label: int
    name: str
    score: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Explanation:
    """The predicted class of one image against the runner-up."""

    predicted: ClassScore
    runner_up: ClassScore | None  # None where there is one class only
    margin: float  # difference of the scores; inf without runner-up

    @property
    def only_predicted(self) -> tuple[Contribution, ...]:
        """Features of the predicted class that the runner-up has not."""
        return tuple(c for c in self.predicted.contributions if not c.shared)

    @property
    def shared(self) -> tuple[Contribution, ...]:
        """Features of both classes; they cancel in the margin."""
        return tuple(c for c in self.predicted.contributions if c.shared)

    @property
    def only_runner_up(self) -> tuple[Contribution, ...]:
        """Features of the runner-up that the predicted class has not."""
        if self.runner_up is None:
            return ()
        return tuple(c for c in self.runner_up.contributions if not c.shared)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain dicts, lists and numbers that `json.dumps` takes."""
        plain = asdict(self)
        if not np.isfinite(self.margin):
            plain["margin"] = None
        return plain


@dataclass(frozen=True)
class _Features:
    """What there is to know of the n features of one image."""

    values: Float[np.ndarray, " n"]
    channels: Int[np.ndarray, " n"]
    names: tuple[str, ...]


def _class_score(
    label: int,
    name: str,
    columns: tuple[int, ...],
    shared: tuple[int, ...],
    features: _Features,
    sign: float,
) -> ClassScore:
    ordered = sorted(columns, key=lambda column: (-features.values[column], column))
    contributions = tuple(
        Contribution(
            feature=f,
            channel=int(features.channels[f]),
            name=features.names[f],
            value=float(features.values[f]),
            shared=f in shared,
            to_margin=0.0 if f in shared else sign * float(features.values[f]),
        )
        for f in ordered
    )
    score = float(sum(contribution.value for contribution in contributions))
    return ClassScore(label, name, score, contributions)


def explain(
    values: Float[ArrayLike, " n"],
    assignment: Bool[ArrayLike, "C n"],
    selected: Int[ArrayLike, " n"],
    class_names: tuple[str, ...],
    against: int | None = None,
    feature_names: tuple[str, ...] | None = None,
) -> Explanation:
    """Explains the prediction for one image.

    Args:
        values: normalised values z of the selected features.
        assignment: which features describe which class.
        selected: the features' channels in the backbone.
        class_names: one a class.
        against: the class to compare with; the runner-up where None.
        feature_names: one a feature; `feature 17` for channel 17 where None.

    Returns:
        Predicted and other class with their contributions.

    Raises:
        ValueError: if the sizes differ or `against` is the predicted class.
    """
    weights, values = as_assignment(assignment), np.asarray(values, np.float64)
    selected = np.asarray(selected)
    if feature_names is None:
        feature_names = tuple(f"feature {channel}" for channel in selected.ravel())
    _check_sizes(weights, values, selected, class_names, feature_names)
    features = _Features(values, selected, feature_names)
    logits = weights @ values
    first = int(np.argmax(logits))
    if len(weights) == 1:
        own = tuple(np.flatnonzero(weights[first]).tolist())
        only = _class_score(first, class_names[first], own, (), features, 1.0)
        return Explanation(only, None, float("inf"))
    logits[first] = -np.inf
    second = int(np.argmax(logits)) if against is None else int(against)
    pair = class_contrast(weights, first, second)
    predicted, runner_up = (
        _class_score(
            label, class_names[label], pair.shared + own, pair.shared, features, sign
        )
        for label, own, sign in (
            (first, pair.only_first, 1.0),
            (second, pair.only_second, -1.0),
        )
    )
    return Explanation(predicted, runner_up, predicted.score - runner_up.score)


def _check_sizes(
    weights: Bool[np.ndarray, "C n"],
    values: Float[np.ndarray, " n"],
    selected: Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    feature_names: tuple[str, ...],
) -> None:
    num_classes, num_features = weights.shape
    if (
        values.shape != (num_features,)
        or selected.shape != (num_features,)
        or len(class_names) != num_classes
        or len(feature_names) != num_features
    ):
        raise ValueError(
            f"values {values.shape}, selected {selected.shape}, {len(class_names)} "
            f"class_names and {len(feature_names)} feature_names do not fit an "
            f"assignment of {num_classes} classes and {num_features} features"
        )

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
    """What one feature adds to a class's score."""

    feature: int  # column of the assignment
    channel: int  # channel of the backbone
    value: float  # normalised feature value z
    shared: bool  # whether the other class of the explanation has it too


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

    def to_dict(self) -> dict[str, Any]:
        """Returns plain dicts, lists and numbers that `json.dumps` takes."""
        plain = asdict(self)
        if not np.isfinite(self.margin):
            plain["margin"] = None
        return plain


def _class_score(
    label: int,
    features: tuple[int, ...],
    shared: tuple[int, ...],
    values: Float[np.ndarray, " n"],
    selected: Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
) -> ClassScore:
    ordered = sorted(features, key=lambda feature: (-values[feature], feature))
    contributions = tuple(
        Contribution(f, int(selected[f]), float(values[f]), f in shared)
        for f in ordered
    )
    score = float(sum(contribution.value for contribution in contributions))
    return ClassScore(label, class_names[label], score, contributions)


def explain(
    values: Float[ArrayLike, " n"],
    assignment: Bool[ArrayLike, "C n"],
    selected: Int[ArrayLike, " n"],
    class_names: tuple[str, ...],
    against: int | None = None,
) -> Explanation:
    """Explains the prediction for one image.

    Args:
        values: normalised values z of the selected features.
        assignment: which features describe which class.
        selected: the features' channels in the backbone.
        class_names: one a class.
        against: the class to compare with; the runner-up where None.

    Returns:
        Predicted and other class with their contributions.

    Raises:
        ValueError: if the sizes differ or `against` is the predicted class.
    """
    weights, values = as_assignment(assignment), np.asarray(values, np.float64)
    selected = np.asarray(selected)
    num_classes, num_features = weights.shape
    sizes = (values.shape, selected.shape, len(class_names))
    if sizes != ((num_features,), (num_features,), num_classes):
        raise ValueError(
            f"values {sizes[0]}, selected {sizes[1]} and {sizes[2]} class_names do not "
            f"fit an assignment of {num_classes} classes and {num_features} features"
        )
    logits = weights @ values
    first = int(np.argmax(logits))
    own = tuple(np.flatnonzero(weights[first]).tolist())
    if num_classes == 1:
        only = _class_score(first, own, (), values, selected, class_names)
        return Explanation(only, None, float("inf"))
    logits[first] = -np.inf
    second = int(np.argmax(logits)) if against is None else int(against)
    pair = class_contrast(weights, first, second)
    shared = pair.shared
    predicted = _class_score(first, own, shared, values, selected, class_names)
    other = shared + pair.only_second
    runner_up = _class_score(second, other, shared, values, selected, class_names)
    return Explanation(predicted, runner_up, predicted.score - runner_up.score)

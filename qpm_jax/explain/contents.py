"""What a report is made of: plain arrays, strings and dicts, checked when made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8


@dataclass(frozen=True)
class MetricRow:
    """One line of the table. A fraction or count, a ready string, or None for a dash.

    Attributes:
        label: what is measured.
        dense: of the dense model.
        qpm: of the QPM.
        published: the paper's value, where known; the column shows if any row has one.
        unit: `percent` (fractions are shown times 100) or `count`.
        better: `higher`, `lower`, or empty where neither is.
        note: one plain sentence under the label.
    """

    label: str
    dense: float | str | None
    qpm: float | str | None
    published: float | str | None = None
    unit: str = "percent"
    better: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.unit not in ("percent", "count"):
            raise ValueError(f"unit is {self.unit!r}; give 'percent' or 'count'")
        if self.better not in ("higher", "lower", ""):
            raise ValueError(f"better is {self.better!r}; give 'higher', 'lower' or ''")


@dataclass(frozen=True)
class ClassExamples:
    """One image a class, with the maps of all selected features.

    Attributes:
        images: RGB bytes; of a class without example, anything.
        maps: feature maps, raw.
        known: whether the class has an example.
    """

    images: UInt8[np.ndarray, "C H W 3"]
    maps: Float[np.ndarray, "C h w n"]
    known: Bool[np.ndarray, " C"]


@dataclass(frozen=True)
class FeatureExamples:
    """The images that excite each feature most, strongest first.

    Attributes:
        images: RGB bytes.
        maps: the feature's own map of each image, raw.
        labels: classes of the images; -1 where there is no further image.
    """

    images: UInt8[np.ndarray, "n t H W 3"]
    maps: Float[np.ndarray, "n t h w"]
    labels: Int[np.ndarray, "n t"]


@dataclass(frozen=True)
class ReportContents:
    """Everything the report shows; parts left at their default are left out.

    Attributes:
        title: headline.
        class_names: one a class.
        assignment: which features describe which class.
        selected: the features' channels in the backbone, which are their names.
        metrics: the table.
        summary: one or two plain sentences under the headline, after the generated one.
        history: training records, see `curves.training_curves`.
        class_examples: pictures for the contrasts.
        feature_examples: pictures for the feature cards.
        class_similarity: settles which pairs are most alike among equals.
        class_attributes: known attributes of the classes, for comparison.
        attribute_names: one an attribute.
        feature_names: names a person gave, by channel.
        solver: objective, bound, gap, seconds, epsilon, penalised_pairs, solver,
            status, and whatever else; shown where present.
        facts: configuration, versions, seeds, hardware, durations; nested mappings
            become headed groups.
        num_pairs: how many pairs of classes to contrast.
    """

    title: str
    class_names: tuple[str, ...]
    assignment: Bool[np.ndarray, "C n"]
    selected: Int[np.ndarray, " n"]
    metrics: Sequence[MetricRow] = ()
    summary: str = ""
    history: Sequence[Mapping[str, Any]] = ()
    class_examples: ClassExamples | None = None
    feature_examples: FeatureExamples | None = None
    class_similarity: Float[np.ndarray, "C C"] | None = None
    class_attributes: Float[np.ndarray, "C A"] | None = None
    attribute_names: tuple[str, ...] = ()
    feature_names: Mapping[int, str] = field(default_factory=dict)
    solver: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    num_pairs: int = 8

    def __post_init__(self) -> None:
        shape = np.shape(self.assignment)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(
                f"assignment has shape {shape}; it must be [classes, features], not "
                "empty"
            )
        classes, features = shape
        _check("class_names", (len(self.class_names),), (classes,))
        _check("selected", np.shape(self.selected), (features,))
        if self.class_similarity is not None:
            similar = np.shape(self.class_similarity)
            _check("class_similarity", similar, (classes, classes))
        if self.class_attributes is not None:
            named = (classes, len(self.attribute_names))
            _check("class_attributes", np.shape(self.class_attributes), named)
        if self.class_examples is not None:
            _check_class_examples(self.class_examples, classes, features)
        if self.feature_examples is not None:
            _check_feature_examples(self.feature_examples, classes, features)


def _check(name: str, came: tuple[int, ...], needed: tuple[int, ...]) -> None:
    if came != needed:
        raise ValueError(f"{name} has shape {came}; this report needs {needed}")


def _check_images(name: str, images: np.ndarray, leading: tuple[int, ...]) -> None:
    came = np.shape(images)
    if np.asarray(images).dtype != np.uint8 or len(came) != len(leading) + 3:
        raise ValueError(
            f"{name} is {np.asarray(images).dtype} {came}; give uint8 [..., H, W, 3]"
        )
    _check(name, (*came[:-3], came[-1]), (*leading, 3))


def _check_class_examples(examples: ClassExamples, classes: int, features: int) -> None:
    _check_images("class_examples.images", examples.images, (classes,))
    maps = np.shape(examples.maps)
    _check("class_examples.maps", maps, (classes, *maps[1:3], features))
    _check("class_examples.known", np.shape(examples.known), (classes,))


def _check_feature_examples(
    examples: FeatureExamples, classes: int, features: int
) -> None:
    labels = np.asarray(examples.labels)
    count = labels.shape[1] if labels.ndim == 2 else 0
    _check("feature_examples.labels", labels.shape, (features, count))
    if labels.size and not (labels.min() >= -1 and labels.max() < classes):
        raise ValueError(
            f"feature_examples.labels holds {labels.min()}..{labels.max()}; classes "
            f"are 0..{classes - 1}, and -1 means none"
        )
    _check_images("feature_examples.images", examples.images, labels.shape)
    maps = np.shape(examples.maps)
    _check("feature_examples.maps", maps, (*labels.shape, *maps[-2:]))

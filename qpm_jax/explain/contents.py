"""What a report is made of: plain arrays, strings and dicts, checked when made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from qpm_jax.explain.names import feature_labels


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
class Examples:
    """Photos of the classes and features, each once, with the maps laid over them.

    Attributes:
        images: RGB bytes of all photos.
        labels: their true classes.
        of_class: which photo shows a class; -1 where none does.
        class_maps: maps of all features on the photo of each class, raw; of a class
            without photo, anything.
        of_feature: the photos that excite each feature most, strongest first; -1 where
            there is no further one.
        feature_maps: the feature's own map on each of these, raw.
    """

    images: UInt8[np.ndarray, "P H W 3"]
    labels: Int[np.ndarray, " P"]
    of_class: Int[np.ndarray, " C"]
    class_maps: Float[np.ndarray, "C h w n"]
    of_feature: Int[np.ndarray, "n t"]
    feature_maps: Float[np.ndarray, "n t h w"]


@dataclass(frozen=True)
class ReportContents:
    """Everything the report shows; parts left at their default are left out.

    Attributes:
        title: headline.
        class_names: one a class.
        assignment: which features describe which class.
        selected: the features' channels in the backbone, which are their names.
        metrics: the table.
        published_setting: where the published values come from, a plain sentence.
        details: what is behind the metrics of `dense` and `qpm`, as
            `phases.evaluate.read_details` returns it.
        summary: one or two plain sentences under the headline, after the generated one.
        history: training records, see `curves.training_curves`.
        examples: photos with maps for classes and features.
        class_similarity: settles which pairs are most alike among equals.
        similarity_name: what that similarity is.
        class_attributes: known attributes of the classes, for comparison.
        attribute_names: one an attribute.
        feature_names: names a person gave, by channel.
        solver: objective, bound, gap, seconds, epsilon, penalised_pairs, solver,
            status, and whatever else; shown where present.
        trace: how the solve went: records with seconds, objective, bound and gap.
        facts: configuration, versions, seeds, hardware, durations; nested mappings
            become headed groups.
        num_pairs: how many pairs of classes to show with pictures.
    """

    title: str
    class_names: tuple[str, ...]
    assignment: Bool[np.ndarray, "C n"]
    selected: Int[np.ndarray, " n"]
    metrics: Sequence[MetricRow] = ()
    published_setting: str = ""
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    summary: str = ""
    history: Sequence[Mapping[str, Any]] = ()
    examples: Examples | None = None
    class_similarity: Float[np.ndarray, "C C"] | None = None
    similarity_name: str = "similarity"
    class_attributes: Float[np.ndarray, "C A"] | None = None
    attribute_names: tuple[str, ...] = ()
    feature_names: Mapping[int, str] = field(default_factory=dict)
    solver: Mapping[str, Any] = field(default_factory=dict)
    trace: Sequence[Mapping[str, float | None]] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    num_pairs: int = 6

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
        if self.examples is not None:
            _check_examples(self.examples, classes, features)

    @property
    def short_labels(self) -> tuple[str, ...]:
        """What each feature is called where room is scarce: its name, or `17`."""
        channels = np.asarray(self.selected).tolist()
        return tuple(self.feature_names.get(c, str(c)) for c in channels)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each feature is called: its name, or `feature 17`."""
        return feature_labels(self.selected, self.feature_names)


def _check(name: str, came: tuple[int, ...], needed: tuple[int, ...]) -> None:
    if came != needed:
        raise ValueError(f"{name} has shape {came}; this report needs {needed}")


def _check_examples(examples: Examples, classes: int, features: int) -> None:
    images = np.asarray(examples.images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"examples.images is {images.dtype} {images.shape}; give uint8 [P, H, W, 3]"
        )
    photos = len(images)
    _check("examples.labels", np.shape(examples.labels), (photos,))
    _check("examples.of_class", np.shape(examples.of_class), (classes,))
    chosen = np.shape(examples.of_feature)
    _check("examples.of_feature", chosen, (features, *chosen[1:2]))
    maps = np.shape(examples.class_maps)
    _check("examples.class_maps", maps, (classes, *maps[1:3], features))
    own = np.shape(examples.feature_maps)
    _check("examples.feature_maps", own, (*chosen, *maps[1:3]))
    _check_range("labels", examples.labels, 0, classes)
    _check_range("of_class", examples.of_class, -1, photos)
    _check_range("of_feature", examples.of_feature, -1, photos)


def _check_range(name: str, values: np.ndarray, low: int, end: int) -> None:
    values = np.asarray(values)
    if values.size and not (values.min() >= low and values.max() < end):
        raise ValueError(
            f"examples.{name} holds {values.min()}..{values.max()}; "
            f"it must lie in {low}..{end - 1}"
        )

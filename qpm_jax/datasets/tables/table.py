"""What every table looks like: rows of whole numbers, or texts to be made into them.

A text's features are the words of the training texts (Tule, Le, Say, arXiv 2112.00434,
Table I: F grows with the training set), so a `TextTable` becomes a `Table` only when
it is known which rows train.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Int


@dataclass(frozen=True, eq=False)
class Table:
    """Labelled rows of whole numbers, all rows of the data set in one.

    Attributes:
        name: of the data set.
        features: uint8 [N, F] of 0 and 1, or int64 [N, F].
        labels: int64 [N], 0 … C−1.
        class_names: C names.
        feature_names: F names.
        official_train: bool [N], the rows of the official training part; None where
            there is none.
        image_shape: (height, width) where the features are an image's pixels, row by
            row; else None.

    Raises:
        ValueError: when shapes, types or lengths contradict each other.
    """

    name: str
    features: Int[np.ndarray, "N F"]
    labels: Int[np.ndarray, " N"]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    official_train: Bool[np.ndarray, " N"] | None = None
    image_shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Checks that the fields fit each other."""
        features = np.asarray(self.features)
        if features.ndim != 2 or features.dtype.kind not in "iu":
            raise ValueError(
                f"features is {features.dtype} {features.shape}; it must be whole"
                " numbers [N, F]."
            )
        if len(self.feature_names) != features.shape[1]:
            raise ValueError(
                f"feature_names has {len(self.feature_names)} names for"
                f" {features.shape[1]} features; give one a feature."
            )
        shape = self.image_shape
        if shape is not None and shape[0] * shape[1] != features.shape[1]:
            raise ValueError(
                f"image_shape is {shape} for {features.shape[1]} features; height"
                " times width must be their number."
            )
        object.__setattr__(self, "features", features)
        _check_rows(self, len(features))

    @property
    def num_classes(self) -> int:
        """C, the number of classes."""
        return len(self.class_names)

    @property
    def is_binary(self) -> bool:
        """Whether every feature is 0 or 1."""
        return bool(((self.features == 0) | (self.features == 1)).all())


@dataclass(frozen=True, eq=False)
class TextTable:
    """Labelled texts; `bag_of_words` makes features of them.

    Attributes:
        name: of the data set.
        texts: N texts.
        labels: int64 [N], 0 … C−1.
        class_names: C names.
        official_train: bool [N], or None; see `Table`.

    Raises:
        ValueError: when lengths contradict each other.
    """

    name: str
    texts: tuple[str, ...]
    labels: Int[np.ndarray, " N"]
    class_names: tuple[str, ...]
    official_train: Bool[np.ndarray, " N"] | None = None

    def __post_init__(self) -> None:
        """Checks that the fields fit each other."""
        _check_rows(self, len(self.texts))

    @property
    def num_classes(self) -> int:
        """C, the number of classes."""
        return len(self.class_names)


def bag_of_words(table: TextTable, training: Int[ArrayLike, " n"]) -> Table:
    """Which word of the training texts occurs in which text.

    scikit-learn's `CountVectorizer` with its defaults, occurrence instead of count:
    lower case, words of two letters or digits and more.

    Args:
        table: the texts.
        training: rows whose words are the features.

    Returns:
        A table of all rows, uint8 [N, F] of 0 and 1, words in alphabetical order.

    Raises:
        ValueError: when no training text has a word.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(binary=True, dtype=np.uint8)
    try:
        counter.fit([table.texts[row] for row in np.asarray(training).tolist()])
    except ValueError as error:
        raise ValueError(
            f"training names {np.size(training)} texts without any word of two letters"
            " or more; draw more of them."
        ) from error
    occurrences: Any = counter.transform(table.texts)
    return Table(
        name=table.name,
        features=occurrences.toarray(),
        labels=table.labels,
        class_names=table.class_names,
        feature_names=tuple(counter.get_feature_names_out().tolist()),
        official_train=table.official_train,
    )


def _check_rows(table: Table | TextTable, rows: int) -> None:
    """Labels and the official part: one a row, and labels that are classes."""
    labels = np.asarray(table.labels)
    if labels.shape != (rows,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels is {labels.dtype} {labels.shape}; it must be one whole number for"
            f" each of the {rows} rows."
        )
    if rows and not 0 <= labels.min() <= labels.max() < len(table.class_names):
        raise ValueError(
            f"labels holds {labels.min()} to {labels.max()}; it must lie in 0 …"
            f" {len(table.class_names) - 1}, as there are {len(table.class_names)}"
            " class_names."
        )
    object.__setattr__(table, "labels", labels.astype(np.int64))
    part = table.official_train
    if part is None:
        return
    part = np.asarray(part)
    if part.shape != (rows,) or part.dtype != bool:
        raise ValueError(
            f"official_train is {part.dtype} {part.shape}; it must be bool, one for"
            f" each of the {rows} rows, or None."
        )
    object.__setattr__(table, "official_train", part)

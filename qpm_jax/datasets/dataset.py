"""What every data set looks like, whatever it was read from: a Split and a Dataset."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class ImageSequence(Protocol):
    """Images one at a time: an array, or anything that decodes on demand."""

    def __len__(self) -> int:
        """Returns the number of images."""
        ...

    def __getitem__(self, index: int, /) -> np.ndarray:
        """Returns image `index` as uint8 [H,W,3]."""
        ...


@dataclass(frozen=True)
class Split:
    """The images of one split with their labels.

    Attributes:
        images: length N; item i is uint8 [H,W,3], sizes may differ. One uint8 array
            [N,H,W,3] serves as well.
        labels: int32 [N], each in 0..C-1.
        part_masks: bool or uint8 [N,parts,h,w], where each part is seen, or None.

    Raises:
        ValueError: shapes, types or lengths that contradict each other.
    """

    images: ImageSequence | np.ndarray
    labels: np.ndarray
    part_masks: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check_images(self.images)
        labels = _whole_labels(self.labels)
        if len(labels) != len(self.images):
            raise ValueError(
                f"images and labels must be equally long, got {len(self.images)} "
                f"images and {len(labels)} labels; give one label an image"
            )
        object.__setattr__(self, "labels", labels)
        if self.part_masks is not None:
            _check_part_masks(self.part_masks, len(labels))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A training and a test split with what is known about their classes.

    Attributes:
        name: how the catalogue calls it.
        class_names: one name a class, in label order; their number is C.
        train: the images to learn from.
        test: the images to judge by.
        image_size: (H, W) in pixels where all images have it already, else None.
        mean: of the training images a colour channel, in [0,1].
        std: of the training images a colour channel, in [0,1], above 0.
        class_attributes: float64 [C,A], how far each class has each attribute, or None.
        attribute_names: one name an attribute, A in all.
        part_names: one name a part, in the order of the splits' part masks.

    Raises:
        ValueError: labels without a class name, or lengths that contradict each other.
    """

    name: str
    class_names: tuple[str, ...]
    train: Split
    test: Split
    image_size: tuple[int, int] | None
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    class_attributes: np.ndarray | None = None
    attribute_names: tuple[str, ...] = ()
    part_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_classes(self)
        _check_image_size(self)
        _check_channels("mean", self.mean)
        _check_channels("std", self.std)
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0 a channel, got {self.std}")
        _check_attributes(self)
        _check_parts(self)

    @property
    def num_classes(self) -> int:
        """The number of classes C."""
        return len(self.class_names)


def _check_images(images: ImageSequence | np.ndarray) -> None:
    if not isinstance(images, np.ndarray):
        if not isinstance(images, ImageSequence):
            raise ValueError(
                f"images must have a length and items, got {type(images).__name__}; "
                "give a uint8 array [N,H,W,3] or a sequence of uint8 [H,W,3]"
            )
        return
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8 [N,H,W,3], got {images.dtype} "
            f"{list(images.shape)}; convert to 8-bit RGB, channels last"
        )


def _whole_labels(labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(
            f"labels must be whole numbers [N], got {labels.dtype} "
            f"{list(labels.shape)}; give one class index an image"
        )
    if labels.size and labels.min() < 0:
        raise ValueError(f"labels must be 0 or more, got {labels.min()}")
    return labels.astype(np.int32)


def _check_part_masks(masks: np.ndarray, count: int) -> None:
    if masks.ndim != 4 or len(masks) != count or masks.dtype not in (bool, np.uint8):
        raise ValueError(
            f"part_masks must be bool or uint8 [{count},parts,h,w], got "
            f"{masks.dtype} {list(masks.shape)}"
        )


def _check_classes(dataset: Dataset) -> None:
    names = dataset.class_names
    if not names:
        raise ValueError(f"class_names of {dataset.name!r} is empty; name each class")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"class_names must differ, these occur twice: {twice}")
    for split_name in ("train", "test"):
        labels = getattr(dataset, split_name).labels
        if labels.size and labels.max() >= len(names):
            raise ValueError(
                f"{split_name} labels go up to {labels.max()} but class_names has "
                f"only {len(names)}; labels count from 0"
            )


def _check_image_size(dataset: Dataset) -> None:
    size = dataset.image_size
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise ValueError(f"image_size must be (height, width) or None, got {size}")


def _check_channels(argument: str, values: tuple[float, float, float]) -> None:
    if len(values) != 3 or not np.all(np.isfinite(values)):
        raise ValueError(
            f"{argument} must be three finite numbers in [0,1], one a colour "
            f"channel, got {values}"
        )


def _check_attributes(dataset: Dataset) -> None:
    attributes, names = dataset.class_attributes, dataset.attribute_names
    expected = (dataset.num_classes, len(names))
    if attributes is None:
        if names:
            raise ValueError(
                f"attribute_names has {len(names)} names but class_attributes is "
                "None; give both or neither"
            )
    elif attributes.shape != expected:
        raise ValueError(
            f"class_attributes must be {list(expected)} (classes, attribute_names), "
            f"got {list(attributes.shape)}"
        )


def _check_parts(dataset: Dataset) -> None:
    for split_name in ("train", "test"):
        masks = getattr(dataset, split_name).part_masks
        if masks is not None and masks.shape[1] != len(dataset.part_names):
            raise ValueError(
                f"{split_name} part_masks hold {masks.shape[1]} parts but part_names "
                f"has {len(dataset.part_names)}; name each part"
            )

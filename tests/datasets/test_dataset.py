"""A Split and a Dataset refuse what contradicts itself."""

import numpy as np
import pytest

from qpm_jax.datasets import Dataset, Split

IMAGES = np.zeros((4, 5, 6, 3), np.uint8)
LABELS = np.array([0, 1, 0, 1])


def _dataset(**changes):
    split = Split(IMAGES, LABELS)
    values = {
        "name": "toy",
        "class_names": ("a", "b"),
        "train": split,
        "test": split,
        "image_size": (5, 6),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.2, 0.2, 0.2),
    }
    return Dataset(**(values | changes))


def test_labels_become_int32_and_the_length_is_that_of_the_labels():
    split = Split(IMAGES, LABELS)
    assert split.labels.dtype == np.int32
    assert len(split) == 4


def test_a_data_set_counts_its_classes():
    assert _dataset().num_classes == 2


def test_any_sequence_of_images_will_do():
    assert len(Split([IMAGES[0], IMAGES[1]], LABELS[:2])) == 2


@pytest.mark.parametrize(
    ("images", "labels", "masks", "message"),
    [
        (IMAGES, LABELS[:3], None, "equally long, got 4 images and 3"),
        (IMAGES.astype(float), LABELS, None, r"uint8 \[N,H,W,3\], got float64"),
        (IMAGES[..., :1], LABELS, None, r"got uint8 \[4, 5, 6, 1\]"),
        (7, LABELS, None, "a length and items, got int"),
        (IMAGES, LABELS / 2, None, "whole numbers"),
        (IMAGES, LABELS[:, None], None, r"got int64 \[4, 1\]"),
        (IMAGES, LABELS - 1, None, "0 or more, got -1"),
        (IMAGES, LABELS, np.zeros((3, 2, 5, 6), bool), r"\[4,parts,h,w\]"),
    ],
)
def test_a_split_names_what_does_not_fit(images, labels, masks, message):
    with pytest.raises(ValueError, match=message):
        Split(images, labels, masks)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ()}, "is empty"),
        ({"class_names": ("a", "a")}, r"occur twice: \['a'\]"),
        ({"class_names": ("a",)}, "labels go up to 1 but class_names has only 1"),
        ({"image_size": (5,)}, "image_size must be"),
        ({"mean": (0.5, 0.5)}, "mean must be three"),
        ({"std": (0.5, 0.5, np.nan)}, "std must be three"),
        ({"std": (0.5, 0.5, 0.0)}, "above 0"),
        ({"attribute_names": ("x",)}, "class_attributes is None"),
        ({"class_attributes": np.ones((2, 3))}, r"must be \[2, 0\]"),
        ({"train": Split(IMAGES, LABELS, np.ones((4, 1, 5, 6), bool))}, "1 parts"),
    ],
)
def test_a_data_set_names_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        _dataset(**changes)

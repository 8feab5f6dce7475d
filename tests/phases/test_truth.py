"""What a data set knows of its images: attributes by visible part, masks on maps."""

from dataclasses import replace

import numpy as np
import pytest

from qpm_jax import datasets, metrics
from qpm_jax.datasets import Split
from qpm_jax.phases import truth


def with_masks(dataset, part_masks):
    """The data set with two parts, and attributes that belong to them."""
    count = len(dataset.train)
    return replace(
        dataset,
        train=Split(dataset.train.images, dataset.train.labels, part_masks[:count]),
        test=Split(
            dataset.test.images, dataset.test.labels, part_masks[: len(dataset.test)]
        ),
        part_names=("head", "foot"),
        class_attributes=np.array([[1, 0], [0, 1], [1, 1], [0, 0]], float),
        attribute_names=("head: red", "foot colour: blue"),
    )


def masks_of(dataset):
    return np.ones((len(dataset.train), 2, 16, 16), bool)


def test_an_image_shows_its_classs_attributes_where_their_part_is_seen(dataset):
    masks = masks_of(dataset)
    masks[3, 1] = False
    marked = with_masks(dataset, masks)
    got = truth.image_attributes(marked, marked.train)
    expected = marked.class_attributes[marked.train.labels]
    np.testing.assert_array_equal(np.delete(got, 3, axis=0), np.delete(expected, 3, 0))
    np.testing.assert_array_equal(got[3], [1, -1])


def test_attributes_of_no_part_or_between_0_and_1_are_not_of_images(dataset):
    marked = with_masks(dataset, masks_of(dataset))
    assert truth.image_attributes(dataset, dataset.train) is None
    for changed in (
        replace(marked, attribute_names=("tail: red", "foot: blue")),
        replace(marked, class_attributes=0.5 * marked.class_attributes),
    ):
        assert truth.image_attributes(changed, changed.train) is None


def test_the_built_in_birds_know_the_attributes_of_their_images(tmp_path):
    birds = datasets.load(
        "birds",
        num_classes=2,
        train_per_class=2,
        test_per_class=1,
        cache_dir=str(tmp_path),
    )
    got = truth.image_attributes(birds, birds.train)
    assert got.shape == (4, len(birds.attribute_names))
    shown = got >= 0
    assert shown.any()
    expected = birds.class_attributes[birds.train.labels]
    np.testing.assert_array_equal(got[shown], expected[shown])


def test_masks_are_of_the_object_widened_and_by_part(dataset):
    masks = np.zeros_like(masks_of(dataset))
    masks[0, 0, :8, :8] = True  # a quarter
    masks[0, 1, 8:, 8:12] = True  # half of the opposite one
    marked = with_masks(dataset, masks)
    got = truth.masks_on_maps(
        marked.train, np.array([0, 1]), (16, 16), "stretch", (4, 4)
    )
    assert got.shape == (2, 4, 4, len(truth.mask_names(marked)))
    assert truth.mask_names(marked)[2:] == ("head", "foot")
    np.testing.assert_allclose(got[0].mean(axis=(0, 1)), [3 / 8, 14 / 16, 1 / 4, 1 / 8])
    assert not got[1].any()
    assert truth.masks_on_maps(dataset.train, [0], (16, 16), "stretch", (4, 4)) is None


def test_what_a_crop_cuts_from_the_image_it_cuts_from_the_masks(dataset):
    masks = np.zeros((len(dataset.train), 2, 16, 32), bool)
    masks[:, :, :, 8:24] = True  # the middle square
    marked = with_masks(dataset, masks)
    square = (16, 16)
    cropped = truth.masks_on_maps(
        marked.train, np.array([0]), square, "centre_crop", (2, 2)
    )
    stretched = truth.masks_on_maps(
        marked.train, np.array([0]), square, "stretch", (2, 2)
    )
    np.testing.assert_allclose(cropped[..., 0], 1.0)
    np.testing.assert_allclose(stretched[..., 0], 0.5)


def test_the_similarity_of_classes_is_given_or_from_attributes(dataset):
    np.testing.assert_allclose(
        truth.class_similarity(dataset),
        metrics.class_attribute_similarity(dataset.class_attributes),
    )
    given = np.ones((4, 4))
    np.testing.assert_array_equal(truth.class_similarity(dataset, given), given)
    nothing = replace(dataset, class_attributes=None, attribute_names=())
    assert truth.class_similarity(nothing) is None
    assert truth.class_similarity(nothing, np.eye(4)) is None


@pytest.mark.parametrize("shape", [(3, 3), (4, 5)])
def test_a_similarity_of_other_classes_is_refused(dataset, shape):
    with pytest.raises(ValueError, match=r"class_similarity must be \[C,C\]"):
        truth.class_similarity(dataset, np.ones(shape))


def test_masks_are_cut_as_imagenets_crop_cuts_images():
    masks = np.arange(256).reshape(1, 1, 16, 16)
    seen = truth._seen_by_network(masks, (14, 14), "imagenet_crop")
    np.testing.assert_array_equal(seen, masks[:, :, 1:15, 1:15])

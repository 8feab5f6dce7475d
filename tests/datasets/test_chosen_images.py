"""Parts of a split, and data sets without the images that cannot be read."""

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets
from qpm_jax.datasets import Split
from qpm_jax.datasets.chosen_images import ChosenImages, choose


def _photos(root, counts):
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.random.default_rng(index).integers(0, 256, (30, 40, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{index}.jpg")


def _cut(path):
    """Leaves a file that begins like a photo and ends in the middle."""
    path.write_bytes(path.read_bytes()[:900])


@pytest.fixture
def damaged(tmp_path):
    _photos(tmp_path / "train", {"cat": 4, "owl": 3})
    _photos(tmp_path / "test", {"cat": 2, "owl": 2})
    _cut(tmp_path / "train/cat/1.jpg")
    _cut(tmp_path / "test/owl/0.jpg")
    options = {"mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2)}
    return datasets.load("folder", root=tmp_path, **options)


def test_a_damaged_photo_is_named_when_it_is_read(damaged):
    batches = datasets.evaluation_batches(damaged.train, 4, (8, 8))
    with pytest.raises(ValueError, match=r"cat/1\.jpg cannot be decoded.*remove it"):
        list(batches)


def test_damaged_photos_are_left_out_where_that_is_asked_for(damaged, caplog):
    whole = datasets.without_unreadable(damaged)
    np.testing.assert_array_equal(whole.train.labels, [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(whole.test.labels, [0, 0, 1])
    np.testing.assert_array_equal(whole.train.images[1], damaged.train.images[2])
    left_out = [r.getMessage() for r in caplog.records if "Left out" in r.getMessage()]
    assert len(left_out) == 2
    assert "cat/1.jpg cannot be decoded" in left_out[0]


def test_what_is_left_makes_the_same_batches_every_time(damaged):
    one, other = (
        datasets.training_batches(
            datasets.without_unreadable(damaged).train, 4, (8, 8), 5
        )
        for _ in range(2)
    )
    for step in (0, 3):
        np.testing.assert_array_equal(one[step]["image"], other[step]["image"])


def test_a_split_without_any_readable_photo_is_refused(tmp_path):
    _photos(tmp_path / "train", {"cat": 1})
    _photos(tmp_path / "test", {"cat": 1})
    options = {"mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2)}
    dataset = datasets.load("folder", root=tmp_path, **options)
    _cut(tmp_path / "train/cat/0.jpg")
    with pytest.raises(
        ValueError, match=r"no image of folder train can be read.*0\.jpg"
    ):
        datasets.without_unreadable(dataset)


def test_arrays_have_nothing_unreadable():
    digits = datasets.load("digits", image_size=8)
    assert datasets.without_unreadable(digits).train.images is digits.train.images


def test_all_images_in_order_are_the_split_itself():
    split = Split(np.zeros((3, 4, 4, 3), np.uint8), np.arange(3))
    assert datasets.choose(split, np.arange(3)) is split


def test_chosen_images_keep_their_labels_and_masks():
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 2, 2, 3), np.uint8
    )
    masks = np.arange(4, dtype=np.uint8)[:, None, None, None]
    for kind in (images, list(images)):
        chosen = datasets.choose(Split(kind, np.array([3, 2, 1, 0]), masks), [2, 0])
        assert [int(chosen.images[i][0, 0, 0]) for i in range(2)] == [2, 0]
        np.testing.assert_array_equal(chosen.labels, [1, 3])
        np.testing.assert_array_equal(chosen.part_masks.ravel(), [2, 0])


def test_chosen_files_keep_their_names(damaged):
    images = choose(damaged.train, np.array([2, 0])).images
    names = [source.name for source in damaged.train.images.sources]
    assert [source.name for source in images.sources] == [names[2], names[0]]
    stacked = ChosenImages(ChosenImages(images, np.array([1, 0])), np.array([1]))
    assert stacked.sources[0].name == names[2]
    assert not hasattr(ChosenImages(np.zeros((2, 4, 4, 3)), np.array([0])), "sources")

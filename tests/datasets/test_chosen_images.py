"""Parts of a split."""

import numpy as np

from qpm_jax import datasets
from qpm_jax.datasets import Split
from qpm_jax.datasets.chosen_images import ChosenImages, choose
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages


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


def test_chosen_files_keep_their_names(tmp_path):
    names = ["a.jpg", "b.jpg", "c.jpg"]
    files = LazyImages(tmp_path, [ImageSource(name) for name in names])
    images = choose(Split(files, np.arange(3)), np.array([2, 0])).images
    assert [source.name for source in images.sources] == ["c.jpg", "a.jpg"]
    stacked = ChosenImages(ChosenImages(images, np.array([1, 0])), np.array([1]))
    assert stacked.sources[0].name == "c.jpg"
    assert not hasattr(ChosenImages(np.zeros((2, 4, 4, 3)), np.array([0])), "sources")


def test_the_state_of_chosen_files_is_that_of_files_and_choice(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"one")
    files = LazyImages(tmp_path, [ImageSource("a.jpg"), ImageSource("b.jpg")])
    one, other = (ChosenImages(files, np.array([p])).files_state() for p in (0, 1))
    assert one != other
    assert one == ChosenImages(files, np.array([0])).files_state()
    (tmp_path / "a.jpg").write_bytes(b"other")
    assert one != ChosenImages(files, np.array([0])).files_state()
    assert ChosenImages(np.zeros((2, 4, 4, 3)), np.array([0])).files_state() is None

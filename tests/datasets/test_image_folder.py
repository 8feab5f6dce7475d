"""A folder per class becomes a data set, and what is wrong with it is named."""

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets


def _make(root, counts, colour=100):
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            image = Image.new("RGB", (6 + index, 5), (colour, index, 0))
            image.save(root / name / f"{index}.png")


def test_train_and_test_folders_are_taken_as_they_are(tmp_path):
    _make(tmp_path / "train", {"owl": 2, "cat": 3})
    _make(tmp_path / "test", {"owl": 1, "cat": 1}, colour=7)
    loaded = datasets.load("folder", root=tmp_path)
    assert loaded.class_names == ("cat", "owl")
    np.testing.assert_array_equal(loaded.train.labels, [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(loaded.test.labels, [0, 1])
    np.testing.assert_array_equal(loaded.train.images[1][0, 0], [100, 1, 0])
    assert loaded.image_size is None


def test_val_will_do_for_test(tmp_path):
    _make(tmp_path / "train", {"a": 1})
    _make(tmp_path / "val", {"a": 2})
    assert len(datasets.load("folder", root=tmp_path).test) == 2


def test_without_a_test_folder_a_share_of_each_class_is_held_back(tmp_path):
    _make(tmp_path, {"a": 10, "b": 5, "c": 2})
    loaded = datasets.load("folder", root=str(tmp_path))
    np.testing.assert_array_equal(np.bincount(loaded.test.labels), [2, 1, 1])
    np.testing.assert_array_equal(np.bincount(loaded.train.labels), [8, 4, 1])


def test_the_same_seed_holds_the_same_images_back(tmp_path):
    _make(tmp_path, {"a": 30})

    def held_back(seed):
        loaded = datasets.load("folder", root=tmp_path, seed=seed)
        return [source.name for source in loaded.test.images.sources]

    assert held_back(0) == held_back(0)
    assert held_back(0) != held_back(1)


def test_the_colour_statistics_are_measured_unless_given(tmp_path):
    _make(tmp_path, {"a": 3})
    measured = datasets.load("folder", root=tmp_path)
    assert measured.mean[0] == pytest.approx(100 / 255)
    assert measured.std[0] == 1.0
    given = datasets.load("folder", root=tmp_path, mean=(0.1, 0.2, 0.3), std=[1, 1, 1])
    assert given.mean == (0.1, 0.2, 0.3)


def test_a_class_may_be_called_train(tmp_path):
    _make(tmp_path, {"bus": 2, "train": 2})
    assert datasets.load("folder", root=tmp_path).class_names == ("bus", "train")


def test_hidden_and_foreign_files_are_passed_over(tmp_path, caplog):
    _make(tmp_path, {"a": 2, ".cache": 1})
    (tmp_path / "a" / "._0.png").write_text("resource fork")
    (tmp_path / "a" / "notes.txt").write_text("hello")
    for number in range(2):
        (tmp_path / "a" / f"{number}.HEIC").write_bytes(b"a format that is not read")
    (tmp_path / "readme.md").write_text("hello")
    loaded = datasets.load("folder", root=tmp_path)
    assert loaded.class_names == ("a",)
    assert len(loaded.train) + len(loaded.test) == 2
    assert f"Passed over in {tmp_path}, as no images: 2 .heic, 1 .txt" in caplog.text


def _message(root, **options):
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the callers match
        datasets.load("folder", root=root, **options)
    return str(caught.value)


def test_a_missing_root_is_named(tmp_path):
    assert "nowhere" in _message(tmp_path / "nowhere")
    assert "root '' is not a folder" in _message("")


def test_a_root_without_class_folders_is_named(tmp_path):
    assert "holds no class folders" in _message(tmp_path)


def test_an_empty_class_is_named(tmp_path):
    _make(tmp_path, {"a": 2, "empty_one": 0})
    assert "empty_one holds no images" in _message(tmp_path)


def test_classes_that_differ_between_train_and_test_are_named(tmp_path):
    _make(tmp_path / "train", {"a": 1, "b": 1})
    _make(tmp_path / "test", {"a": 1, "B": 1} | {f"x{i:02}": 0 for i in range(12)})
    message = _message(tmp_path)
    assert "only in the first: ['b']" in message
    assert "'B', 'x00'" in message
    assert "and 3 more" in message


def test_a_train_folder_alone_is_refused(tmp_path):
    _make(tmp_path / "train", {"a": 1})
    assert "no test folder beside it" in _message(tmp_path)


def test_a_class_too_small_to_split_is_named(tmp_path):
    _make(tmp_path, {"a": 2, "single": 1})
    assert "fewer: ['single']" in _message(tmp_path)


def test_a_test_fraction_out_of_range_is_refused(tmp_path):
    _make(tmp_path, {"a": 2})
    assert "between 0 and 1, got 1.5" in _message(tmp_path, test_fraction=1.5)


def test_a_file_that_is_no_image_is_named(tmp_path):
    _make(tmp_path, {"a": 2})
    (tmp_path / "a" / "bad.jpg").write_text("no image")
    assert "bad.jpg cannot be decoded" in _message(tmp_path)


def test_a_mean_of_two_channels_is_refused(tmp_path):
    _make(tmp_path, {"a": 2})
    assert "3 numbers" in _message(tmp_path, mean=(0.5, 0.5))

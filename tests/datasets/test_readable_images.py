"""Data sets without the images that cannot be read."""

import logging
import zipfile

import numpy as np
import pytest
from PIL import Image

from qpm_jax import datasets
from qpm_jax.datasets import Split, lazy_images
from qpm_jax.datasets.cache_folder import cache_folder
from qpm_jax.datasets.lazy_images import ImageSource, LazyImages
from qpm_jax.datasets.readable_images import readable


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


@pytest.fixture
def decoded(monkeypatch):
    """The names of all images decoded since."""
    names, decode = [], lazy_images.decode_image

    def note(content, name):
        names.append(name)
        return decode(content, name)

    monkeypatch.setattr(lazy_images, "decode_image", note)
    return names


def test_later_looks_decode_what_failed_alone(damaged, decoded, caplog):
    first = datasets.without_unreadable(damaged)
    assert len(decoded) == 11
    decoded.clear()
    caplog.clear()
    second = datasets.without_unreadable(damaged)
    assert [name.split("/")[-1] for name in decoded] == ["1.jpg", "0.jpg"]
    np.testing.assert_array_equal(first.train.labels, second.train.labels)
    left_out = [r.getMessage() for r in caplog.records if "Left out" in r.getMessage()]
    assert len(left_out) == 2


def test_a_file_that_was_mended_is_looked_at_again(damaged, tmp_path):
    assert len(datasets.without_unreadable(damaged).train) == 6
    whole = (tmp_path / "train/cat/0.jpg").read_bytes()
    (tmp_path / "train/cat/1.jpg").write_bytes(whole)
    assert len(datasets.without_unreadable(damaged).train) == 7


def test_a_disk_that_failed_once_costs_no_photo_later(damaged, monkeypatch):
    read = damaged.train.images._read

    def fail(name):
        if name.endswith("0.jpg"):
            raise ValueError(f"image {name} cannot be read (Input/output error)")
        return read(name)

    monkeypatch.setattr(damaged.train.images, "_read", fail)
    assert len(datasets.without_unreadable(damaged).train) == 4
    monkeypatch.undo()
    for _ in range(2):
        assert len(datasets.without_unreadable(damaged).train) == 6


def test_a_split_without_images_has_none_that_can_be_read(damaged):
    empty = Split(LazyImages(damaged.train.images.container, []), np.zeros(0, np.int32))
    with pytest.raises(ValueError, match="no image of none can be read"):
        readable(empty, "none")


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}'])
def test_kept_findings_that_are_damaged_are_made_anew(damaged, content):
    datasets.without_unreadable(damaged)
    kept = list(cache_folder().glob("unreadable_*.json"))
    assert len(kept) == 2
    for path in kept:
        path.write_text(content)
    assert len(datasets.without_unreadable(damaged).train) == 6


def test_findings_that_cannot_be_kept_are_used_all_the_same(
    damaged, tmp_path, monkeypatch, caplog
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QPM_JAX_CACHE", str(tmp_path / "file" / "folder"))
    with caplog.at_level(logging.WARNING):
        assert len(datasets.without_unreadable(damaged).train) == 6
    assert "What cannot be read is not kept" in caplog.text


def test_the_state_of_an_archive_is_that_of_its_file(tmp_path):
    path = tmp_path / "photos.zip"
    states = []
    for content in ("one", "other"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.jpg", content)
        states.append(LazyImages(path, [ImageSource("a.jpg")]).files_state())
    boxed = LazyImages(path, [ImageSource("a.jpg", (0, 0, 1, 1))])
    assert len({*states, boxed.files_state()}) == 3


def test_an_archive_behind_a_link_of_another_name_is_one(tmp_path):
    link, states = tmp_path / "photos.zip", []
    link.symlink_to(tmp_path / "blob")
    for content in ("one", "other"):
        with zipfile.ZipFile(tmp_path / "blob", "w") as archive:
            archive.writestr("a.jpg", content)
        states.append(LazyImages(link, [ImageSource("a.jpg")]).files_state())
    assert states[0] != states[1]


def test_names_of_any_bytes_have_a_state(tmp_path):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert LazyImages(tmp_path, [ImageSource(name)]).files_state()

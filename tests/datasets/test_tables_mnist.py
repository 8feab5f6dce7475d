import gzip
import struct

import numpy as np
import pytest

from qpm_jax.datasets import tables

PARTS = {"train": 6, "t10k": 3}


def _idx(values):
    shape = struct.pack(f">{values.ndim}I", *values.shape)
    return bytes((0, 0, 8, values.ndim)) + shape + values.tobytes()


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for part, count in PARTS.items():
        images = random.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = np.arange(count).astype(np.uint8)
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            path = tmp_path / f"{part}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(_idx(values)))
    return tmp_path


def test_a_pixel_is_one_above_half_of_255(folder):
    images = np.zeros((6, 28, 28), np.uint8)
    images[0, 0, :4] = 0, 127, 128, 255
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(_idx(images)))
    table = tables.load("mnist", folder)
    assert table.features[0, :4].tolist() == [0, 0, 1, 1]


def test_training_and_test_part_follow_each_other(folder):
    table = tables.load("mnist", folder)
    assert table.features.shape == (9, 784)
    assert table.labels.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    assert table.official_train.tolist() == [True] * 6 + [False] * 3
    assert table.feature_names[29] == "row 1 column 1"


def test_unpacked_files_serve_as_well(folder):
    before = tables.load("mnist", folder)
    for path in folder.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert np.array_equal(tables.load("mnist", folder).features, before.features)


def test_a_missing_file_says_what_to_download(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ValueError, match=r"no t10k-labels-idx1-ubyte.gz.*Download"):
        tables.load("mnist", folder)


# The ids are named: bytes would be ids themselves, and gzip writes the time into them.
@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"not packed", "damaged", id="not packed"),
        pytest.param(
            gzip.compress(b"not idx at all"), "no idx file of 3 dimensions", id="no idx"
        ),
        pytest.param(
            gzip.compress(_idx(np.zeros((6, 28, 28), np.uint8))[:-1]),
            "cut short",
            id="cut short",
        ),
        pytest.param(
            gzip.compress(_idx(np.zeros((5, 28, 28), np.uint8))),
            "a label each",
            id="one label more",
        ),
    ],
)
def test_a_damaged_file_is_named(folder, content, message):
    (folder / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        tables.load("mnist", folder)


def test_without_a_folder_tensorflow_datasets_gives_the_digits(tmp_path, monkeypatch):
    monkeypatch.setenv("QPM_JAX_SHARED", str(tmp_path))
    import tensorflow_datasets as tfds

    with tfds.testing.mock_data(num_examples=4):
        table = tables.load("mnist")
    assert table.features.shape == (8, 784)
    assert table.official_train.sum() == 4


def test_the_real_digits_are_all_there(shared):
    table = tables.load("mnist", shared("data/mnist"))
    assert table.features.shape == (70_000, 784)
    assert np.bincount(table.labels[table.official_train])[:2].tolist() == [5923, 6742]

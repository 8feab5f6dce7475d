import numpy as np
import pytest

from qpm_jax.assignment.feature_file import read_bias, read_instance
from qpm_jax.assignment.from_features import instance_from_features


@pytest.fixture
def write(tmp_path):
    def to_file(**arrays):
        path = tmp_path / "file.npz"
        np.savez(path, **arrays)
        return path

    return to_file


def arrays(**changes):
    random = np.random.default_rng(0)
    fields = {
        "features": random.normal(size=(30, 6)),
        "labels": np.arange(30) % 3 * 10 - 10,
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.float32])
def test_labels_of_any_type_of_number_are_read(write, kind):
    labels = (np.arange(30) % 3 * 10).astype(kind)
    instance = read_instance(write(**arrays(labels=labels)))
    assert instance.classes.tolist() == [0, 10, 20]
    assert instance.classes.dtype.kind in "iu"


@pytest.mark.parametrize("kind", [bool, np.int8, np.float64])
def test_only_training_rows_are_looked_at(write, kind):
    fields = arrays(is_train=(np.arange(30) < 20).astype(kind))
    fields["features"][20:] = np.nan
    instance = read_instance(write(**fields))
    expected = instance_from_features(fields["features"][:20], fields["labels"][:20])
    assert np.array_equal(instance.similarity, expected.similarity)


def test_classes_without_a_training_row_are_left_out_with_a_warning(write, caplog):
    fields = arrays(is_train=np.arange(30) % 3 != 2)
    assert read_instance(write(**fields)).classes.tolist() == [-10, 0]
    assert "no row of is_train has them: labels [10]" in caplog.text


@pytest.mark.parametrize("name", ["b", "bias"])
def test_bias_and_own_sizes_are_read(write, name):
    fields = arrays(per_class=np.array([1.0, 2.0, 3.0]), **{name: np.arange(6)})
    instance = read_instance(write(**fields))
    assert instance.bias.tolist() == [0, 1, 2, 3, 4, 5]
    assert instance.per_class.tolist() == [1, 2, 3]


def test_statistics_are_read_as_they_are(write):
    similarity = np.random.default_rng(0).normal(size=(5, 2))
    redundancy = np.ones((5, 5))
    instance = read_instance(
        write(A=similarity, R=redundancy, b=np.ones(5), classes=["owl", "wren"])
    )
    assert np.array_equal(instance.similarity, similarity)
    assert np.array_equal(instance.redundancy, redundancy)
    assert instance.bias.tolist() == [1] * 5
    assert instance.classes.tolist() == ["owl", "wren"]


def test_unknown_arrays_that_resemble_nothing_are_ignored_with_a_warning(write, caplog):
    names = np.array([object()], dtype=object)
    instance = read_instance(write(**arrays(image_id=np.arange(3), wnids=names)))
    assert instance.similarity.shape == (6, 3)
    assert "Ignored, as no accepted name: image_id, wnids." in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None, "label": [1]}, "lacks labels.*rename label to labels"),
        ({"labels": None, "y": [1]}, "rename y to labels"),
        ({"features": None, "Features": [1]}, "rename Features to features"),
        ({"features": None, "X": [1]}, "holds labels, X.*rename X to features"),
        ({"train": np.ones(30)}, "rename train to is_train"),
        ({"is_trian": np.ones(30)}, "rename is_trian to is_train"),
        ({"features": None, "labels": None}, "holds nothing. It lacks features and l"),
        ({"features": None, "labels": None, "similarity": [1]}, "similarity to A"),
        ({"A": np.ones((6, 3))}, "holds A and features, labels; give the features or"),
        ({"b": np.ones(6), "bias": np.ones(6)}, "mean the same"),
        ({"labels": np.arange(29)}, "one label a row"),
        ({"labels": np.arange(30) / 2}, r"labels must be whole.* holds 0\.5"),
        ({"labels": np.full(30, np.nan)}, "labels must be whole.* holds nan"),
        ({"labels": np.array(["a"] * 30)}, "labels holds <U1; .* plain numbers"),
        ({"labels": np.array([None] * 30)}, "labels cannot be read"),
        ({"features": np.ones((30, 2, 2))}, r"features have shape \(30, 2, 2\)"),
        ({"features": np.full((30, 6), np.inf)}, "features holds NaN or infinity"),
        ({"is_train": np.zeros(30)}, "is_train is False for every row"),
        ({"is_train": np.ones(3)}, r"is_train has shape \(3,\)"),
        ({"is_train": np.arange(30)}, "only True and False"),
        ({"per_class": np.array([1.5, 1, 1])}, "per_class must be whole"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_accepted(write, change, message):
    path = write(**arrays(**change))
    with pytest.raises(ValueError, match=f"file.npz: .*{message}"):
        read_instance(path)


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "npy", "cut"])
def test_a_file_that_is_no_npz_is_said_to_be_none(tmp_path, write, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    if kind == "text":
        path.write_text("features,labels\n")
    if kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.ones(3))
    if kind == "cut":
        path.write_bytes(write(**arrays()).read_bytes()[:900])
    expected = "no such file" if kind in ("missing", "folder") else "it is no .npz file"
    with pytest.raises(ValueError, match=f"{kind}: .*{expected}"):
        read_instance(path)


def test_a_damaged_array_is_named(write):
    path = write(**arrays())
    content = bytearray(path.read_bytes())
    content[600] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match="features cannot be read"):
        read_instance(path)


def test_a_bias_is_read_from_npy_and_text(tmp_path):
    np.save(tmp_path / "bias.npy", np.array([1, 2]))
    (tmp_path / "bias.csv").write_text("0.5,-1\n")
    (tmp_path / "bias.txt").write_text("0.5\n-1\n")
    assert read_bias(tmp_path / "bias.npy").tolist() == [1, 2]
    assert read_bias(tmp_path / "bias.csv").tolist() == [0.5, -1]
    assert read_bias(tmp_path / "bias.txt").tolist() == [0.5, -1]


def test_a_file_that_is_no_bias_is_said_to_be_none(tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a bias"):
        read_bias(tmp_path / "none.npy")
    (tmp_path / "words.txt").write_text("one two")
    with pytest.raises(ValueError, match="cannot be read as a bias"):
        read_bias(tmp_path / "words.txt")
    np.save(tmp_path / "table.npy", np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"holds float64 \[2, 2\]"):
        read_bias(tmp_path / "table.npy")

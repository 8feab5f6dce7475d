import numpy as np
import pytest

from qpm_jax.datasets.tables import Table, TextTable, bag_of_words


def _table(**changes):
    fields = {
        "name": "toy",
        "features": np.array([[0, 1], [1, 1], [1, 0]]),
        "labels": np.array([0, 1, 1]),
        "class_names": ("no", "yes"),
        "feature_names": ("left", "right"),
    }
    return Table(**(fields | changes))


def _texts():
    texts = ("How to print?", "Print it, print it!", "No printer is a good one")
    return TextTable("toy", texts, np.array([0, 0, 1]), ("how", "which"))


def test_a_table_knows_its_classes_and_whether_it_is_binary():
    assert _table().num_classes == 2
    assert _table().is_binary
    assert not _table(features=np.array([[0, 1], [1, 2], [1, 0]])).is_binary


def test_labels_come_out_as_int64():
    table = _table(labels=np.array([0, 1, 1], np.uint8))
    assert table.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.zeros((3, 2))}, "features is float64"),
        ({"features": np.zeros(3, int)}, "features is int64"),
        ({"feature_names": ("left",)}, "feature_names has 1 names for 2"),
        ({"image_shape": (2, 2)}, "image_shape is"),
        ({"labels": np.array([0, 1])}, "labels is int64"),
        ({"labels": np.array([0, 1, 2])}, "labels holds 0 to 2"),
        ({"official_train": np.array([True, False])}, "official_train is bool"),
        ({"official_train": np.array([1, 0, 1])}, "official_train is int64"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        _table(**changes)


def test_words_of_the_training_texts_alone_become_features():
    table = bag_of_words(_texts(), np.array([0, 1]))
    assert table.feature_names == ("how", "it", "print", "to")
    assert table.features.tolist() == [[1, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_a_word_that_occurs_twice_counts_once_and_letters_alone_are_no_words():
    table = bag_of_words(_texts(), np.arange(3))
    assert table.is_binary
    assert "a" not in table.feature_names


def test_training_texts_without_words_are_refused():
    table = TextTable("toy", ("a b", "c"), np.array([0, 1]), ("x", "y"))
    with pytest.raises(ValueError, match="training names 2 texts without any word"):
        bag_of_words(table, np.arange(2))


def test_texts_know_their_classes():
    assert _texts().num_classes == 2

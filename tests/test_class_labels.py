import numpy as np
import pytest

from qpm_jax.class_labels import checked_labels


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float32])
def test_whole_numbers_of_any_type_are_taken(kind):
    labels, classes = checked_labels(np.array([1, 0, 2], kind), 3, np.int64(3))
    assert labels.dtype == np.int64
    assert labels.tolist() == [1, 0, 2]
    assert classes == 3


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 1, 2], 1, "num_classes is 1"),
        ([0, 1, 2], 2.5, "num_classes is 2.5"),
        ([0, 1], 2, r"labels has shape \(2,\); it must be \(3,\)"),
        ([0, 0.5, 1], 2, "labels holds 0.5"),
        ([0, np.nan, 1], 2, "labels holds nan"),
        (["a", "b", "c"], 3, "labels holds <U1 entries"),
        ([0, -1, 1], 2, "labels holds -1 to 1"),
        ([0, 1, 2], 2, "labels holds 0 to 2"),
        ([0, 0, 2], 3, "labels has no instance of class 1"),
    ],
)
def test_others_are_refused_by_name(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        checked_labels(labels, 3, classes)

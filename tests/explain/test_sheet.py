"""The class × feature sheet holds the whole assignment and becomes JSON."""

import json

import numpy as np
import pytest

from qpm_jax.explain.sheet import class_feature_sheet

ASSIGNMENT = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], bool)
SELECTED = np.array([5, 8, 13, 21])


def make(**changes):
    arguments = {
        "class_names": ("wren", "lark", "dove"),
        "assignment": ASSIGNMENT,
        "selected": SELECTED,
        "mean": np.arange(4.0),
        "std": np.ones(4),
    }
    return class_feature_sheet(**(arguments | changes))


def test_the_assignment_can_be_read_back_from_either_side():
    sheet = json.loads(json.dumps(make()))
    by_class, by_feature = np.zeros((2, 3, 4), bool)
    for entry in sheet["classes"]:
        by_class[entry["index"], entry["features"]] = True
        assert entry["channels"] == SELECTED[entry["features"]].tolist()
    for entry in sheet["features"]:
        by_feature[entry["classes"], entry["index"]] = True
    np.testing.assert_array_equal(by_class, ASSIGNMENT)
    np.testing.assert_array_equal(by_feature, ASSIGNMENT)


def test_features_carry_their_scaling_and_pairs_what_tells_them_apart():
    sheet = make(num_pairs=1, names={13: "hooked beak"})
    assert sheet["features"][0]["name"] == "feature 5"
    assert sheet["features"][2] | {"colour": "", "classes": []} == {
        "index": 2,
        "channel": 13,
        "name": "hooked beak",
        "mean": 2.0,
        "std": 1.0,
        "colour": "",
        "classes": [],
    }
    assert json.loads(json.dumps(sheet["most_alike"])) == [
        {
            "first": 0,
            "second": 1,
            "shared": [1],
            "only_first": [0],
            "only_second": [2],
        }
    ]


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="std has shape"):
        make(std=np.ones(3))
    with pytest.raises(ValueError, match="class_names has 1"):
        make(class_names=("wren",))

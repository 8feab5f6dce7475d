"""Names of features: kept whole in one small file, refused where they cannot be."""

import json

import numpy as np
import pytest

from qpm_jax import files
from qpm_jax.explain import feature_labels, feature_names, write_feature_names


@pytest.fixture
def workdir(tmp_path):
    """Just enough of a run: its features are chosen."""
    for phase in ("dense", "statistics", "assign"):
        files.write_json(tmp_path / phase / "done.json", {"result": phase})
    for phase, origin in (("statistics", "dense"), ("assign", "statistics")):
        files.write_json(tmp_path / phase / "begun.json", {"origin": origin})
    arrays = {"selected": np.array([3, 8, 14]), "assignment": np.eye(3, dtype=bool)}
    files.write_arrays(tmp_path / "assign" / "assignment.npz", arrays)
    return tmp_path


def write_file(workdir, text):
    files.write_text(workdir / "explain" / "names.json", text)


def test_names_come_back_as_they_were_given(workdir):
    write_feature_names(workdir, {14: " hooked beak ", 3: "Flügel"})
    assert feature_names(workdir) == {3: "Flügel", 14: "hooked beak"}
    write_feature_names(workdir, {})
    assert feature_names(workdir) == {}


def test_a_run_without_the_file_has_no_names(workdir):
    assert feature_names(workdir) == {}


def test_a_person_can_write_the_file(workdir):
    write_file(workdir, '{"8": "striped wing"}')
    assert feature_names(workdir) == {8: "striped wing"}


def test_features_without_a_name_are_called_by_their_channel():
    labels = feature_labels(np.array([3, 8]), {8: "striped wing"})
    assert labels == ("feature 3", "striped wing")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({7: "crown"}, r"names feature 7, .* its features are 3, 8, 14"),
        ({"wing": "crown"}, "names feature wing"),
        ({3: " "}, r"calls feature 3 ' '; give a name of 1 to 40"),
        ({3: None}, "calls feature 3 None"),
        ({3: "red;blue"}, "without ; and ="),
        ({3: "two\nlines"}, "on one line"),
        ({3: "x" * 41}, "41 characters long; give at most 40"),
        ({3: "beak", 8: "beak"}, "both feature 3 and feature 8 'beak'"),
        ({3: "feature 8"}, "both feature 3 and feature 8 'feature 8'"),
        (["beak"], "holds a list"),
    ],
)
def test_names_that_cannot_be_are_refused_and_nothing_is_written(
    workdir, names, message
):
    with pytest.raises(ValueError, match=message):
        write_feature_names(workdir, names)
    assert not (workdir / "explain").exists()
    write_file(workdir, json.dumps(names))
    with pytest.raises(ValueError, match=message):
        feature_names(workdir)


def test_a_file_that_is_no_json_says_so(workdir):
    write_file(workdir, "{3: beak")
    with pytest.raises(ValueError, match=r"not valid JSON .* mend it"):
        feature_names(workdir)


def test_features_have_to_be_chosen_first(tmp_path):
    with pytest.raises(ValueError, match="no finished phase 'assign'"):
        write_feature_names(tmp_path, {3: "beak"})

"""What a report is made of is checked when it is made."""

import dataclasses

import numpy as np
import pytest

from qpm_jax.explain import MetricRow


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"assignment": np.ones(3)}, "assignment has shape"),
        ({"class_names": ("a",)}, "class_names has shape"),
        ({"selected": np.arange(2)}, "selected has shape"),
        ({"class_similarity": np.eye(2)}, "class_similarity has shape"),
        ({"attribute_names": ("a",)}, "class_attributes has shape"),
    ],
)
def test_contents_that_do_not_fit_are_refused(contents, changes, message):
    with pytest.raises(ValueError, match=message):
        contents(**changes)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("images", lambda a: a.astype(float)),
        ("images", lambda a: a[..., 0]),
        ("labels", lambda a: a[:2]),
        ("labels", lambda a: a + 5),
        ("of_class", lambda a: a[:2]),
        ("of_class", lambda a: a + 8),
        ("class_maps", lambda a: a[..., :2]),
        ("of_feature", lambda a: a[:2]),
        ("of_feature", lambda a: a - 1),
        ("feature_maps", lambda a: a[:, :1]),
    ],
)
def test_pictures_that_do_not_fit_are_refused(contents, name, change):
    examples = contents().examples
    wrong = dataclasses.replace(examples, **{name: change(getattr(examples, name))})
    with pytest.raises(ValueError, match=r"examples\."):
        contents(examples=wrong)


def test_features_are_called_by_their_names_where_they_have_one(contents):
    assert contents().labels[:2] == ("feature 3", "striped wing")
    assert contents().short_labels[:2] == ("3", "striped wing")


def test_metric_rows_refuse_unknown_words():
    with pytest.raises(ValueError, match="unit is 'kg'"):
        MetricRow("a", 1, 1, unit="kg")
    with pytest.raises(ValueError, match="better is 'more'"):
        MetricRow("a", 1, 1, better="more")

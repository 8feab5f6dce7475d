"""One image explained: contributions add up to scores and margins."""

import json

import numpy as np
import pytest

from qpm_jax.explain.local import explain

ASSIGNMENT = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]], bool)
SELECTED = np.array([3, 7, 20, 31, 40])
NAMES = ("wren", "lark", "dove")
VALUES = np.array([2.0, 1.0, -0.5, 0.25, 4.0])


def test_scores_are_the_logits_and_sum_up_the_contributions():
    found = explain(VALUES, ASSIGNMENT, SELECTED, NAMES)
    logits = ASSIGNMENT @ VALUES
    assert (found.predicted.name, found.runner_up.name) == ("dove", "wren")
    assert found.predicted.score == pytest.approx(logits.max())
    assert found.margin == pytest.approx(logits[2] - logits[0])
    assert [c.channel for c in found.predicted.contributions] == [40, 31, 20]
    assert [c.shared for c in found.predicted.contributions] == [False, False, True]


def test_the_margin_comes_from_the_features_not_shared():
    found = explain(VALUES, ASSIGNMENT, SELECTED, NAMES, against=1)
    own, other = (
        sum(c.value for c in score.contributions if not c.shared)
        for score in (found.predicted, found.runner_up)
    )
    assert found.runner_up.label == 1
    assert found.margin == pytest.approx(own - other)


def test_what_features_add_to_the_margin_sums_up_to_it():
    found = explain(VALUES, ASSIGNMENT, SELECTED, NAMES, against=1)
    groups = (found.only_predicted, found.shared, found.only_runner_up)
    assert [[c.feature for c in group] for group in groups] == [[4], [3, 2], [1]]
    assert [c.to_margin for group in groups for c in group] == [4.0, 0, 0, -1.0]
    assert sum(c.to_margin for g in groups for c in g) == pytest.approx(found.margin)


def test_features_carry_the_names_people_gave_them():
    called = tuple("abcde")
    given = explain(VALUES, ASSIGNMENT, SELECTED, NAMES, feature_names=called)
    assert [c.name for c in given.predicted.contributions] == ["e", "d", "c"]
    plain = explain(VALUES, ASSIGNMENT, SELECTED, NAMES)
    assert plain.predicted.contributions[0].name == "feature 40"


def test_an_explanation_becomes_json():
    plain = explain(VALUES, ASSIGNMENT, SELECTED, NAMES).to_dict()
    assert json.loads(json.dumps(plain))["predicted"]["name"] == "dove"


def test_a_single_class_has_no_runner_up():
    found = explain(VALUES[:2], np.ones((1, 2)), SELECTED[:2], ("wren",))
    assert found.runner_up is None
    assert len(found.only_predicted) == 2
    assert found.only_runner_up == ()
    assert json.loads(json.dumps(found.to_dict()))["margin"] is None


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        explain(VALUES[:3], ASSIGNMENT, SELECTED, NAMES)
    with pytest.raises(ValueError, match="both 2"):
        explain(VALUES, ASSIGNMENT, SELECTED, NAMES, against=2)

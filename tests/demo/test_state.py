"""What a visitor chooses changes what is compared and counted, never the network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.demo import state


@pytest.fixture
def session(run, dark):
    return state.open_session(run, run.look(dark))


def test_a_photo_is_first_compared_with_the_runner_up(run, session):
    found = state.explanation(run, session)
    assert (found.predicted.name, found.runner_up.name) == ("wren", "lark")
    assert session.off == frozenset()
    assert state.listed(run, session) == (0, 1, 2, 3, 4)


def test_another_class_brings_its_own_features(run, session):
    session = state.compare_with(run, session, 4)
    assert state.explanation(run, session).runner_up.name == "owl"
    assert state.listed(run, session) == (0, 1, 2, 3, 4, 5, 6, 7)


def test_no_class_is_compared_with_itself(run, session):
    assert state.other_classes(run, session) == (1, 2, 3, 4)
    with pytest.raises(ValueError, match="both 0"):
        state.compare_with(run, session, 0)
    with pytest.raises(ValueError, match="second is 9"):
        state.compare_with(run, session, 9)


def test_switching_a_feature_off_takes_it_out_of_every_score(run, session):
    values = session.look.features
    session = state.keep(run, session, [0, 2, 3, 4])
    assert session.off == {1}
    for row in state.score_rows(run, session):
        has = run.assignment[row.label, 1]
        assert row.before - row.after == pytest.approx(values[1] if has else 0.0)


def test_what_is_off_stays_listed_and_off_when_the_comparison_changes(run, session):
    session = state.compare_with(run, session, 4)
    session = state.keep(run, session, [0, 1, 2, 3, 4, 5, 6])
    session = state.compare_with(run, session, 1)
    assert state.listed(run, session) == (0, 1, 2, 3, 4, 7)
    assert session.off == {7}
    assert state.keep(run, session, state.listed(run, session)).off == frozenset()


def test_the_class_that_leads_after_switching_is_shown(run, session):
    session = state.keep(run, state.compare_with(run, session, 4), [4, 5, 6, 7])
    rows = state.score_rows(run, session, count=1)
    assert [row.label for row in rows] == [0, 4]
    assert session.off == {0, 1, 2, 3}


def test_choosing_never_runs_the_network(run, session):
    for kept in ([], [1], [0, 1, 2]):
        session = state.keep(run, session, kept)
        state.score_rows(run, session)
        state.explanation(run, state.compare_with(run, session, 3))
    assert run.passes == [1]


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 5)), st.integers(0, 2**31))
def test_scores_without_features_are_those_of_the_same_head_with_zeros(off, seed):
    random = np.random.default_rng(seed)
    assignment, values = random.random((4, 6)) < 0.5, random.normal(size=6)
    kept = np.array([f not in off for f in range(6)])
    expected = (assignment * kept) @ values
    np.testing.assert_allclose(state.scores(assignment, values, off), expected)

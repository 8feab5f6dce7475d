import numpy as np
import pytest

from qpm_jax import assignment
from qpm_jax.assignment.result import check, make_assignment


def problem(**changes):
    random = np.random.default_rng(0)
    fields = {
        "similarity": random.normal(size=(6, 4)),
        "pairs": [[0, 1], [2, 5]],
        "weights": [0.5, 1.0],
        "bias": random.normal(size=6),
        "num_features": 4,
        "per_class": 2,
    }
    return assignment.AssignmentProblem(**{**fields, **changes})


def test_the_objective_is_the_sum_of_its_three_terms():
    small = problem(
        similarity=np.arange(12.0).reshape(4, 3) / 10,
        pairs=[[0, 2], [1, 3]],
        weights=[0.25, 4.0],
        bias=[1.0, 2.0, 3.0, 4.0],
        num_features=3,
    )
    taken = [[1, 1, 0], [0, 1, 1], [1, 0, 1]]
    # Selected 3, 0, 2: rows of A 9..11, 0..2, 6..8; both of the pair (0, 2).
    similarity = (0.9 + 0.0) + (0.1 + 0.7) + (1.1 + 0.8)
    expected = 1000 / 6 * similarity - 0.25 + (4 + 1 + 3)
    assert small.objective([3, 0, 2], taken) == pytest.approx(expected, rel=1e-12)


def test_the_scale_counts_the_features_of_all_classes():
    assert problem(per_class=[1, 2, 3, 2]).scale == 1000 / 8
    assert problem().class_sizes.tolist() == [2, 2, 2, 2]


def test_without_bias_and_pairs_only_similarity_counts():
    bare = problem(bias=None, pairs=[], weights=[])
    taken = np.eye(4, dtype=bool) | np.roll(np.eye(4, dtype=bool), 1, axis=1)
    expected = bare.scale * (bare.similarity[:4].T * taken).sum()
    assert bare.objective(range(4), taken) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"similarity": np.zeros(3)}, "similarity has shape"),
        ({"similarity": np.full((6, 4), np.nan)}, "similarity holds 24 NaN"),
        ({"similarity": np.full((6, 4), np.inf)}, "similarity holds 24 NaN or inf"),
        ({"pairs": [[0, 6], [1, 2]]}, "pairs name features 0 to 6"),
        ({"pairs": [[-1, 2], [1, 2]]}, "pairs name features -1"),
        ({"pairs": [[1, 1], [1, 2]]}, "first must be smaller"),
        ({"pairs": [[2, 1], [1, 2]]}, "first must be smaller"),
        ({"pairs": [[0, 1], [0, 1]]}, "names a pair twice"),
        ({"pairs": [[0.0, 1.0], [1.0, 2.0]]}, "pairs has shape"),
        ({"pairs": [0, 1]}, "pairs has shape"),
        ({"weights": [0.5, -1.0]}, "weights must be finite and not negative"),
        ({"weights": [0.5, np.nan]}, "weights must be finite"),
        ({"weights": [0.5]}, "weights has 1 entries for 2 pairs"),
        ({"bias": np.zeros(5)}, "bias has shape"),
        ({"bias": np.full(6, np.inf)}, "bias has shape"),
        ({"num_features": 7}, "num_features is 7"),
        ({"num_features": 0}, "num_features is 0"),
        ({"num_features": 2.5}, "num_features is 2.5"),
        ({"per_class": 5}, "per_class is 5"),
        ({"per_class": 0}, "per_class is 0"),
        ({"per_class": [1, 2, 3]}, "per_class has shape"),
        ({"per_class": [1, 2, 3, 5]}, "per_class runs from 1 to 5"),
        ({"per_class": 4}, "gives 1 different rows for 4 classes"),
        ({"per_class": [4, 4, 1, 1]}, "gives 1 different rows for 2 classes"),
        ({"forced_in": [6]}, "forced_in names features 6 to 6"),
        ({"forced_in": [1, 1]}, "forced_in names a feature twice"),
        ({"forced_in": [0.5]}, "forced_in must be a list of feature numbers"),
        ({"forced_in": [1], "forced_out": [1]}, "both name features"),
        ({"forced_in": [0, 1, 2, 3, 4]}, "forced_in names 5 features"),
        ({"forced_out": [0, 1, 2]}, "forced_out leaves 3 of 6"),
        ({"min_classes": -1}, "min_classes is -1"),
    ],
)
def test_a_malformed_or_impossible_problem_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        problem(**changes)


@pytest.mark.parametrize(
    ("selected", "taken", "message"),
    [
        ([0, 9], np.zeros((4, 2)), "selected names features"),
        ([0, 0], np.zeros((4, 2)), "selected names a feature twice"),
        ([0, 1], np.zeros((3, 2)), "assignment has shape"),
        ([0, 1], np.full((4, 2), 0.5), "only 0 and 1"),
    ],
)
def test_a_malformed_solution_is_refused(selected, taken, message):
    with pytest.raises(ValueError, match=message):
        problem().objective(selected, taken)


def test_the_problem_keeps_copies_that_nobody_can_change():
    similarity = np.ones((6, 4))
    kept = problem(similarity=similarity)
    similarity[:] = 7
    assert kept.similarity.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        kept.similarity[0, 0] = 3


def feasible():
    taken = np.eye(4, dtype=bool) | np.roll(np.eye(4, dtype=bool), 1, axis=1)
    return np.arange(4), taken


def test_a_result_is_sorted_with_its_columns():
    selected, taken = feasible()
    result = make_assignment(
        problem(), selected[::-1], taken[:, ::-1], np.inf, 0.0, "native", "stalled"
    )
    assert result.selected.tolist() == [0, 1, 2, 3]
    assert (result.assignment == taken).all()
    assert result.gap == np.inf
    assert result.objective == pytest.approx(problem().objective(selected, taken))


@pytest.mark.parametrize(
    ("changes", "alter", "message"),
    [
        ({}, lambda s, t: (s[:3], t[:, :3]), "different features are selected"),
        ({}, lambda s, t: (s[::-1], t), "sorted"),
        ({}, lambda s, t: (s, t | np.eye(4, k=2, dtype=bool)), "exactly its number"),
        ({}, lambda s, t: (s, t[[0, 0, 1, 2]]), "no two classes are equal"),
        ({"forced_in": [5]}, lambda s, t: (s, t), "forced_in"),
        ({"forced_out": [0]}, lambda s, t: (s, t), "forced_out"),
    ],
)
def test_an_answer_that_breaks_a_constraint_never_leaves(changes, alter, message):
    with pytest.raises(RuntimeError, match=message):
        check(problem(**changes), *alter(*feasible()))

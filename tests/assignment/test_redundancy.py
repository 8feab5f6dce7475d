import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import assignment

TARGETS = (8, 10, 20, 30, 50)


def redundancy(features=30, seed=0):
    random = np.random.default_rng(seed)
    profiles = random.normal(size=(features, 8))
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    matrix = np.maximum(profiles @ profiles.T, 0)
    np.fill_diagonal(matrix, 0)
    return matrix


def test_the_threshold_is_no_larger_than_the_published_search_s(golden):
    cases = golden("R_clique")
    compared = 0
    for name in cases.cases:
        case = cases[name]
        for target in TARGETS:
            if f"t{target}_iter_corr" not in case:
                continue
            found = assignment.redundant_pairs(case["R_triu_clipped"], target)
            assert found.epsilon <= case[f"t{target}_iter_corr"]
            compared += 1
    assert compared >= 5


def test_a_given_threshold_gives_the_published_pairs_and_weights(golden):
    cases = golden("R_clique")
    for name in cases.cases:
        case = cases[name]
        for target in TARGETS:
            if f"t{target}_iter_corr" not in case:
                continue
            found = assignment.redundant_pairs(
                case["R_triu_clipped"],
                target,
                epsilon=float(case[f"t{target}_iter_corr"]),
            )
            np.testing.assert_array_equal(found.pairs, case[f"t{target}_pairs"])
            np.testing.assert_allclose(
                found.weights, case[f"t{target}_pair_weights"], rtol=0, atol=1e-15
            )
            assert found.clique is None


def test_the_published_search_gives_the_published_threshold_and_pairs(golden):
    cases = golden("R_clique")
    for name in cases.cases:
        case = cases[name]
        for target in TARGETS:
            if f"t{target}_iter_corr" not in case:
                continue
            found = assignment.redundant_pairs(
                case["R_triu_clipped"], target, method="published"
            )
            assert found.epsilon == case[f"t{target}_iter_corr"]
            np.testing.assert_array_equal(found.pairs, case[f"t{target}_pairs"])
            np.testing.assert_allclose(
                found.weights, case[f"t{target}_pair_weights"], rtol=0, atol=1e-15
            )
            np.testing.assert_array_equal(
                found.clique, np.sort(case[f"t{target}_init_clique"])[:target]
            )


@pytest.mark.parametrize(("features", "number"), [(30, 8), (60, 12)])
def test_the_published_search_gives_a_penalty_free_clique(features, number):
    matrix = redundancy(features)
    found = assignment.redundant_pairs(matrix, number, method="published")
    native = assignment.redundant_pairs(matrix, number)
    assert native.epsilon <= found.epsilon
    assert matrix[np.ix_(found.clique, found.clique)].max() < found.epsilon


@pytest.mark.parametrize("number", [2, 29, 30])
def test_where_the_published_search_fails_the_native_one_steps_in(number):
    matrix = redundancy()
    found = assignment.redundant_pairs(matrix, number, method="published")
    assert found.epsilon == assignment.redundant_pairs(matrix, number).epsilon


@given(seed=st.integers(0, 10**6), features=st.integers(2, 40), data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_clique_has_no_penalised_pair_and_everything_above_is_penalised(
    seed, features, data
):
    number = data.draw(st.integers(1, features))
    matrix = redundancy(features, seed)
    found = assignment.redundant_pairs(matrix, number)
    inside = np.isin(found.pairs, found.clique).all(axis=1)
    assert not inside.any()
    assert len(np.unique(found.clique)) == number
    assert (np.diff(found.clique) > 0).all()
    upper = np.triu(matrix, 1)
    np.testing.assert_array_equal(found.pairs, np.argwhere(upper >= found.epsilon))
    assert ((found.weights >= 0) & (found.weights <= 1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_small_thresholds_are_the_smallest_there_are(seed):
    matrix = redundancy(12, seed)
    best = min(
        matrix[np.ix_(subset, subset)].max()
        for subset in itertools.combinations(range(12), 5)
    )
    clique = assignment.redundant_pairs(matrix, 5).clique
    assert matrix[np.ix_(clique, clique)].max() == best


def test_the_upper_triangle_alone_means_the_same():
    matrix = redundancy()
    whole = assignment.redundant_pairs(matrix, 10)
    upper = assignment.redundant_pairs(np.triu(matrix) + np.eye(30), 10)
    assert whole.epsilon == upper.epsilon
    np.testing.assert_array_equal(whole.pairs, upper.pairs)


def test_selecting_every_feature_penalises_nothing():
    found = assignment.redundant_pairs(redundancy(), 30)
    assert len(found.pairs) == 0
    assert found.clique.tolist() == list(range(30))


def test_equal_redundancies_weigh_one_and_zeros_are_never_penalised():
    matrix = np.zeros((4, 4))
    matrix[0, 1] = matrix[1, 0] = matrix[2, 3] = matrix[3, 2] = 0.5
    found = assignment.redundant_pairs(matrix, 2)
    assert found.pairs.tolist() == [[0, 1], [2, 3]]
    assert found.weights.tolist() == [1.0, 1.0]
    assert len(assignment.redundant_pairs(np.zeros((4, 4)), 2).pairs) == 0
    tiny = assignment.redundant_pairs(matrix, 2, epsilon=1e-300)
    assert len(tiny.pairs) == 2


def test_a_large_matrix_has_a_clique_of_the_size_asked():
    found = assignment.redundant_pairs(redundancy(1024), 50)
    assert found.clique.size == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 3)), 2), "redundancy has shape"),
        ((np.full((3, 3), np.nan), 2), "NaN or infinite"),
        ((np.arange(9.0).reshape(3, 3), 2), "not symmetric"),
        ((redundancy(), 31), "num_features is 31"),
        ((redundancy(), 0), "num_features is 0"),
        ((redundancy(), 5, 0.0), "epsilon is 0.0"),
        ((redundancy(), 5, float("nan")), "epsilon is nan"),
        ((redundancy(), 5, None, "networkx"), "method is 'networkx'"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        assignment.redundant_pairs(*arguments)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.datasets.tables import balanced_draw, class_sizes, corrupt_labels

COUNTS = st.lists(st.integers(1, 12), min_size=2, max_size=6)
SEEDS = st.integers(0, 10**6)


@st.composite
def draws(draw):
    counts = draw(COUNTS)
    return counts, draw(st.integers(len(counts), sum(counts))), draw(SEEDS)


@settings(max_examples=30, deadline=None)
@given(draws())
def test_a_class_gives_the_same_as_the_others_or_all_it_has(case):
    counts, size, seed = case
    sizes = class_sizes(counts, size, seed)
    assert sizes.sum() == size
    short = sizes < sizes.max() - 1
    assert np.array_equal(sizes[short], np.array(counts)[short])


@pytest.mark.parametrize(
    ("size", "sizes"), [(10, [2] * 5), (23, [5, 5, 5, 5, 3]), (43, [10] * 4 + [3])]
)
def test_the_published_sizes_of_ask_ubuntu_are_even_draws(size, sizes):
    assert class_sizes([10, 10, 13, 17, 3], size).tolist() == sizes


@settings(max_examples=30, deadline=None)
@given(draws())
def test_a_draw_takes_so_many_of_each_class_and_leaves_all_others(case):
    counts, size, seed = case
    labels = np.repeat(np.arange(len(counts)), counts)[::-1]
    training, test = balanced_draw(labels, len(counts), size, seed)
    assert np.array_equal(
        np.bincount(labels[training], minlength=len(counts)),
        class_sizes(counts, size, seed),
    )
    assert np.array_equal(
        np.sort(np.concatenate([training, test])), np.arange(len(labels))
    )


def test_a_draw_from_a_pool_tests_on_what_is_outside_it_too():
    labels = np.tile([0, 1], 10)
    pool = np.arange(20) < 6
    training, test = balanced_draw(labels, 2, 4, 0, pool)
    assert training.max() < 6
    assert set(range(6, 20)) <= set(test.tolist())


def test_another_seed_draws_other_rows_and_the_same_seed_the_same():
    labels = np.repeat([0, 1, 2], 50)
    first, again, other = (balanced_draw(labels, 3, 30, s)[0] for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_larger_draw_has_the_rows_of_a_smaller_one():
    labels = np.repeat([0, 1, 2], 50)
    small, large = (balanced_draw(labels, 3, size, 7)[0] for size in (6, 30))
    assert set(small) <= set(large)


@pytest.mark.parametrize("size", [2, 13])
def test_fewer_rows_than_classes_or_more_than_there_are_is_refused(size):
    with pytest.raises(ValueError, match=r"size is .*it must lie in 3 … 12"):
        class_sizes([4, 4, 4], size)


def test_a_pool_without_a_class_is_refused():
    with pytest.raises(ValueError, match="available has no row of class 1"):
        balanced_draw(np.array([0, 0, 1]), 2, 2, 0, np.array([True, True, False]))


def test_a_pool_of_another_length_is_refused():
    with pytest.raises(ValueError, match="pool has shape"):
        balanced_draw(np.array([0, 0, 1]), 2, 2, 0, np.array([True]))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 40), st.floats(0, 1), SEEDS)
def test_exactly_the_share_of_labels_becomes_another_class(classes, n, fraction, seed):
    labels = np.random.default_rng(seed).integers(0, classes, n)
    wrong = corrupt_labels(labels, classes, fraction, seed)
    assert (wrong != labels).sum() == np.floor(fraction * n + 0.5)
    assert 0 <= wrong.min() <= wrong.max() < classes


def test_every_other_class_is_as_likely():
    wrong = corrupt_labels(np.zeros(30_000, int), 4, 1.0, seed=0)
    assert np.bincount(wrong)[1:] == pytest.approx([10_000] * 3, rel=0.03)


@pytest.mark.parametrize(
    ("classes", "fraction", "message"),
    [(3, 1.5, "fraction is 1.5"), (1, 0.1, "num_classes is 1")],
)
def test_a_share_or_classes_that_cannot_be_are_refused(classes, fraction, message):
    with pytest.raises(ValueError, match=message):
        corrupt_labels([0, 0], classes, fraction, 0)

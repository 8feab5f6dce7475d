"""One class's best k features under prices: exact, and bounded where cut short."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.assignment.native.class_choice import best_choice


def instance(seed, number=9):
    random = np.random.default_rng(seed)
    prices = np.triu(random.uniform(size=(number, number)), 1)
    prices *= random.uniform(size=prices.shape) < 0.5
    return random.normal(size=number), prices + prices.T


def worth(gains, prices, members):
    inside = prices[np.ix_(members, members)].sum() / 2
    return gains[list(members)].sum() - inside


def optimum(gains, prices, size):
    return max(
        worth(gains, prices, members)
        for members in itertools.combinations(range(len(gains)), size)
    )


@given(seed=st.integers(0, 10**6), size=st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_the_best_choice_is_found_from_nothing(seed, size):
    gains, prices = instance(seed)
    found = best_choice(gains, prices, size, -np.inf)
    assert found.value == pytest.approx(optimum(gains, prices, size), abs=1e-12)
    assert found.bound == found.value
    assert len(set(found.members.tolist())) == size
    assert worth(gains, prices, found.members) == pytest.approx(found.value)


@given(seed=st.integers(0, 10**6), size=st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_a_start_that_is_the_best_is_proven_and_no_other_set_returned(seed, size):
    gains, prices = instance(seed)
    best = optimum(gains, prices, size)
    found = best_choice(gains, prices, size, best + 1e-12)
    assert found.members is None
    assert found.bound == found.value == best + 1e-12


@given(seed=st.integers(0, 10**6), widest=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_a_search_cut_short_still_bounds_every_choice(seed, widest):
    gains, prices = instance(seed)
    found = best_choice(gains, prices, 4, -np.inf, widest=widest)
    best = optimum(gains, prices, 4)
    assert found.value <= best + 1e-12
    assert found.bound >= best - 1e-12

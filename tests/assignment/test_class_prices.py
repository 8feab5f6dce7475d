"""The bound that prices pair penalties inside each class's choice."""

import time
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import assignment
from qpm_jax.assignment.native import bound, bounding, class_prices, search
from qpm_jax.assignment.native.price_certificate import certify


def clustered_problem(seed=0, features=12, classes=6, **changes):
    """Features alike in pairs of clusters that the same classes want."""
    random = np.random.default_rng(seed)
    centres = random.uniform(size=(4, classes)) ** 2
    similarity = centres[random.integers(0, 4, features)]
    similarity = similarity + 0.1 * random.uniform(size=(features, classes))
    rows = similarity / np.linalg.norm(similarity, axis=1, keepdims=True)
    cosine = rows @ rows.T
    # So many for every seed: each number of pairs has programs of its own compiled.
    alike = np.sort(cosine[np.triu_indices(features, 1)])[-16]
    pairs = np.argwhere(np.triu(cosine >= alike, 1))
    fields = {
        "similarity": similarity,
        "pairs": pairs,
        "weights": 40 * cosine[pairs[:, 0], pairs[:, 1]],
        "bias": random.uniform(size=features),
        "num_features": 5,
        "per_class": 3,
    }
    return assignment.AssignmentProblem(**{**fields, **changes})


def thresholds_of(problem, selected=None):
    chosen = np.arange(problem.num_features) if selected is None else selected
    start = bound.first_multipliers(problem, chosen)
    return np.asarray(start.classes, np.float64)


KINDS = {
    "plain": {},
    "forced": {"forced_in": (2,), "forced_out": (0, 7)},
    "sizes": {"per_class": [1, 2, 3, 3, 2, 1]},
    "ternary": {"ternary": True},
    "no pair": {"pairs": np.zeros((0, 2), int), "weights": np.zeros(0)},
}


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_every_price_gives_an_upper_bound(kind, seed, optimum):
    problem = clustered_problem(seed, **KINDS[kind])
    random = np.random.default_rng(seed)
    thresholds = thresholds_of(problem)
    table = class_prices.price_table(problem, thresholds)
    prices = class_prices.first_prices(table, thresholds)
    pairs = random.uniform(0, 60, np.shape(table.pair)) * (
        table.pair < len(problem.weights)
    )
    prices = prices.replace(
        features=jnp.asarray(30 * random.uniform(size=prices.features.shape)),
        pairs=jnp.asarray(pairs + pairs.transpose(0, 2, 1)),
    )
    proof = certify(table, prices, problem.num_features)
    assert proof.bound >= optimum(problem) - 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_prices_give_the_bound_of_one_multiplier_a_class(kind):
    problem = clustered_problem(**KINDS[kind])
    thresholds = thresholds_of(problem)
    table = class_prices.price_table(problem, thresholds)
    prices = class_prices.first_prices(table, thresholds)
    cheap = bound.lagrangian(problem, thresholds, np.zeros(len(problem.weights)))
    proof = certify(table, prices, problem.num_features)
    if not problem.forced_out and np.ptp(problem.class_sizes) == 0:
        assert proof.bound == pytest.approx(cheap, rel=1e-6)
    assert proof.bound <= cheap * (1 + 1e-6)


@pytest.mark.parametrize("kind", ["plain", "forced", "sizes", "ternary"])
def test_steps_never_raise_the_bound_nor_lower_it_below_the_optimum(kind, optimum):
    problem = clustered_problem(3, **KINDS[kind])
    best = optimum(problem)
    cheap = search_bound(problem, best, price_steps=0)
    assert best - 1e-9 <= search_bound(problem, best, price_steps=1200) <= cheap


def test_where_classes_want_similar_features_half_of_the_cheap_gap_is_closed(optimum):
    problems = [clustered_problem(seed) for seed in range(4)]
    best = np.array([optimum(problem) for problem in problems])
    cheap, priced = (
        np.array(
            [search_bound(p, b, steps) for p, b in zip(problems, best, strict=True)]
        )
        for steps in (0, 1200)
    )
    assert (priced - best).sum() <= 0.5 * (cheap - best).sum()


def search_bound(problem, target, price_steps):
    arrays = search.search_arrays(problem)
    chosen = np.arange(problem.num_features)
    work = bounding.begin(problem, arrays, chosen, 400, price_steps)
    while not work.done:
        work = bounding.tighten(work, target)
    return work.bound


def test_few_candidates_a_class_still_bound_what_all_features_can_give(
    monkeypatch, optimum
):
    problem = clustered_problem(5, features=14)
    monkeypatch.setattr(class_prices, "_FEWEST", 4)
    monkeypatch.setattr(class_prices, "_MOST", 4)
    best = optimum(problem)
    assert search_bound(problem, best, price_steps=800) >= best - 1e-9


def test_pairs_paid_beyond_their_weight_are_cut_back(optimum):
    problem = clustered_problem(1)
    thresholds = thresholds_of(problem)
    table = class_prices.price_table(problem, thresholds)
    prices = class_prices.first_prices(table, thresholds)
    paid = jnp.where(jnp.asarray(table.pair) < len(problem.weights), 1e6, 0.0)
    proof = certify(table, prices.replace(pairs=paid), problem.num_features)
    assert proof.bound >= optimum(problem) - 1e-9


def test_the_work_ends_where_a_slice_would_pass_the_deadline():
    problem = clustered_problem()
    arrays = search.search_arrays(problem)
    work = bounding.begin(problem, arrays, np.arange(5), 100, 4000)
    work = bounding.tighten(work, 0.0)
    assert not work.done
    assert bounding.tighten(work, 0.0, deadline=time.perf_counter()).done


def test_a_certificate_given_up_bounds_nothing():
    problem = clustered_problem()
    thresholds = thresholds_of(problem)
    table = class_prices.price_table(problem, thresholds)
    prices = class_prices.first_prices(table, thresholds)
    assert certify(table, prices, 5, deadline=0.0).bound == np.inf


def test_there_is_nothing_to_price_without_pairs_or_for_too_many_classes():
    problem = clustered_problem(**KINDS["no pair"])
    arrays = search.search_arrays(problem)
    assert bounding.begin(problem, arrays, np.arange(5), 100, 400).price_left == 0
    many = replace(
        problem,
        similarity=np.zeros((30, 21_841)),
        bias=None,
        num_features=28,
        per_class=5,
    )
    assert not class_prices.is_affordable(many)

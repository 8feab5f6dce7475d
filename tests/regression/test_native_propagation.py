"""Marginals by expectation propagation: kinks, rows, and the joint distribution."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native.bound import price_bound
from qpm_jax.regression.native.marginals.beliefs import (
    Known,
    OpenWeights,
    Sites,
    layout,
)
from qpm_jax.regression.native.marginals.joint_normal import joint_normal
from qpm_jax.regression.native.marginals.kinked_normal import kinked_moments
from qpm_jax.regression.native.marginals.propagation import first_sites, sweep
from qpm_jax.regression.native.marginals.tie_rows import tie_rows
from qpm_jax.regression.problem import RegressionProblem

SEEDS = st.integers(0, 10**6)


@settings(max_examples=60, deadline=None)
@given(
    mean=st.floats(-4, 4),
    deviation=st.floats(0.05, 4),
    below=st.floats(0, 20),
    above=st.floats(0, 20),
    top=st.sampled_from([0.5, np.inf]),
)
def test_kinked_moments_are_those_of_the_density(mean, deviation, below, above, top):
    reach = 12 * deviation
    points = np.linspace(mean - reach - 5, min(top, mean + reach + 5), 400_001)
    paid = np.where(points < 0, -below * points, above * points)
    logs = -0.5 * ((points - mean) / deviation) ** 2 - paid
    density = np.exp(logs - logs.max())
    density /= density.sum()
    expected = density @ points
    spread = density @ (points - expected) ** 2
    found = kinked_moments(
        *(np.array([x]) for x in (mean, deviation**2, below, above, top))
    )
    np.testing.assert_allclose(found[0], expected, atol=2e-4, rtol=1e-3)
    np.testing.assert_allclose(found[1], spread, atol=1e-5, rtol=5e-3)


@pytest.mark.parametrize("slope", [15.0, 300.0, 6000.0])
@pytest.mark.parametrize("variance", [1e2, 1e4, 1e6])
def test_steep_kinks_hold_even_what_is_nearly_free(slope, variance):
    steep = np.array([slope])
    mean, left = kinked_moments(
        np.array([-30.0]), np.array([variance]), steep, steep, np.array([np.inf])
    )
    assert abs(mean[0]) < 0.1
    assert 0 < left[0] < 0.02


def test_moments_far_beyond_the_top_stay_below_it():
    one = np.ones(1)
    mean, variance = kinked_moments(40 * one, 0.01 * one, one, 0 * one, 0.5 * one)
    assert 0.4 < mean[0] <= 0.5
    assert variance[0] > 0


def priced(seed, problem=None):
    random = np.random.default_rng(seed)
    problem = problem or RegressionProblem(
        random.integers(0, 2, (14, 6)), np.arange(14) % 3, 3, 2.0, 5.0
    )
    data = merge(problem)
    prices = random.uniform(0, 3, (len(data.labels), problem.num_classes))
    return problem, data, price_bound(problem, data, prices), random


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_rows_are_what_a_model_costs_beyond_its_reduced_costs(
    seed, make_unusual, make_random_model
):
    problem, data, prices, _ = priced(seed, make_unusual(seed))
    model = make_random_model(problem, data, seed)
    scores = data.features @ model.weights.T + model.intercepts
    rows = tie_rows(problem, data, prices.flows, scores.astype(float), np.inf)
    rivals = scores.astype(float)
    rivals[np.arange(len(rivals)), data.labels] = -np.inf
    ahead = scores[rows.instances, rows.classes] - rivals.max(axis=1)[rows.instances]
    paid = np.where(ahead < 0, -rows.below * ahead, rows.above * ahead).sum()
    led = prices.flows * data.counts[:, None]
    own = np.zeros_like(led)
    own[np.arange(len(own)), data.labels] = led.sum(axis=1)
    linear = (prices.slopes * model.weights).sum() + np.abs(model.weights).sum()
    linear += ((led - own).sum(axis=0) * model.intercepts).sum()
    assert model.cost == pytest.approx(linear + paid)
    rival = rows.classes != data.labels[rows.instances]
    assert (ahead[rival] <= rows.top[rival]).all()


def test_scores_far_behind_have_no_row():
    problem, data, prices, _ = priced(0)
    flows = np.zeros_like(prices.flows)
    scores = np.tile([0.0, -1.0, -9.0], (len(data.labels), 1))
    rows = tie_rows(problem, data, flows, scores, 4.0)
    assert set(rows.classes) == {0, 1}
    assert (np.unique(rows.groups) == np.arange(rows.groups.max() + 1)).all()


def opened(data, random, classes=3):
    """All weights open at random penalties, random sites and some known scores."""
    columns = len(data.sizes)
    values = np.array([-1.0, 0.0, 1.0])
    return OpenWeights(
        np.repeat(np.arange(classes), columns),
        np.tile(np.arange(columns), classes),
        values,
        random.uniform(0, 2, (classes * columns, 3)),
    )


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_the_joint_distribution_is_that_of_the_dense_matrix(seed):
    problem, data, prices, random = priced(seed)
    weights = opened(data, random)
    scores = random.normal(size=prices.flows.shape)
    rows = tie_rows(problem, data, prices.flows, scores, np.inf)
    count, number = len(rows.classes), len(weights.classes)
    sites = Sites(
        random.uniform(1, 5, number),
        random.normal(size=number),
        random.uniform(0.5, 5, count),
        random.normal(size=count),
    )
    known = Known(random.normal(size=count), random.normal(size=3), np.full(3, 0.3))
    plan = layout(rows, weights, data.features, 3)
    joint = joint_normal(rows, plan, known, sites)
    assert joint is not None
    # Weights, intercepts and the rivals' best scores, these with next to no prior.
    taken = (rows.classes[:, None] == weights.classes) * data.features[rows.instances][
        :, weights.features
    ]
    terms = np.hstack(
        [
            taken,
            rows.classes[:, None] == np.arange(3),
            -np.eye(rows.groups[-1] + 1)[rows.groups],
        ]
    )
    prior = np.concatenate(
        [sites.precision, np.full(3, 1 / 0.3), np.full(rows.groups[-1] + 1, 1e-9)]
    )
    shift = np.concatenate(
        [sites.shift, known.intercepts / 0.3, np.zeros(rows.groups[-1] + 1)]
    )
    precision = np.diag(prior) + (terms.T * sites.row_precision) @ terms
    shift = shift + terms.T @ (sites.row_shift - sites.row_precision * known.scores)
    covariance = np.linalg.inv(precision)
    mean = covariance @ shift
    spread = np.einsum("ki,ij,kj->k", terms, covariance, terms)
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(joint.mean, mean[:number], **close)
    np.testing.assert_allclose(joint.variance, np.diag(covariance)[:number], **close)
    np.testing.assert_allclose(joint.intercepts, mean[number : number + 3], **close)
    np.testing.assert_allclose(joint.row_mean, terms @ mean + known.scores, **close)
    np.testing.assert_allclose(joint.row_variance, spread, **close)


def swept(seed, times, sharpness=1.0):
    problem, data, prices, random = priced(seed)
    weights = opened(data, random)
    scores = random.normal(size=prices.flows.shape)
    rows = tie_rows(problem, data, prices.flows, scores, 4.0)
    known = Known(np.zeros(len(rows.classes)), np.zeros(3), np.full(3, 0.3))
    plan, sites = layout(rows, weights, data.features, 3), first_sites(rows, weights)
    for _ in range(times):
        told = sweep(rows, weights, plan, known, sites, sharpness)
        assert told is not None
        before, (sites, marginals) = sites, told
    return before, sites, marginals, weights


def test_sweeps_come_to_rest():
    before, after, marginals, _ = swept(3, 200)
    for name, part in vars(before).items():
        np.testing.assert_allclose(part, vars(after)[name], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(marginals.chances.sum(axis=1), 1.0)


def test_without_a_price_for_breaking_ties_each_weight_has_its_own_chances():
    *_, marginals, weights = swept(4, 60, sharpness=1e-9)
    alone = np.exp(-weights.penalties)
    alone /= alone.sum(axis=1, keepdims=True)
    # Only the rounding of rivals' scores to at most half is left.
    assert np.abs(marginals.chances - alone).max() < 0.35
    assert np.abs(marginals.chances - alone).mean() < 0.1


def test_numbers_that_failed_are_told():
    problem, data, prices, random = priced(5)
    weights = opened(data, random)
    rows = tie_rows(problem, data, prices.flows, np.zeros(prices.flows.shape), 4.0)
    known = Known(np.zeros(len(rows.classes)), np.zeros(3), np.full(3, 0.3))
    plan, sites = layout(rows, weights, data.features, 3), first_sites(rows, weights)
    broken = replace(sites, shift=np.full_like(sites.shift, np.nan))
    assert sweep(rows, weights, plan, known, broken, 1.0) is None

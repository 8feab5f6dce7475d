"""Small regression problems, and their optima by trying everything."""

import functools
import itertools
import time

import numpy as np
import pytest

from qpm_jax.regression import RegressionProblem
from qpm_jax.regression.merged_data import merge
from qpm_jax.regression.native.bound import price_bound
from qpm_jax.regression.native.model import make_model, zero_model
from qpm_jax.regression.native.relaxation import as_relaxed
from qpm_jax.regression.native.search import Search

FOREVER = 3600.0


def random_problem(seed, instances=6, features=2, classes=3, alpha=2, beta=5, top=1):
    """A bounded problem with every class, features 0 … top."""
    random = np.random.default_rng(seed)
    data = random.integers(0, top + 1, (instances, features))
    labels = np.arange(instances) % classes
    return RegressionProblem(data, labels, classes, alpha, beta)


def unusual_problem(kind, seed, instances=12, features=4):
    """A bounded problem that differs from 0s and 1s of several classes, told apart.

    Args:
        kind: one of `UNUSUAL`.
        seed: of the features.
        instances: before they are repeated.
        features: likewise.
    """
    every = kind == "all of these"
    random = np.random.default_rng(seed)
    classes = 2 if every or kind == "two classes" else 3
    least, most = (-2, 4) if every or kind == "whole features" else (0, 2)
    data = random.integers(least, most, (instances, features))
    labels = np.arange(instances) % classes
    if every or kind == "equal columns":
        data = np.repeat(data, 1 + np.arange(features) % 2, axis=1)
    if every or kind == "equal instances":
        data, labels = np.repeat(data, 3, axis=0), np.repeat(labels, 3)
    beta = 2 if every or kind == "one price" else 5
    return RegressionProblem(data, labels, classes, 2, beta)


UNUSUAL = (
    "equal instances",
    "equal columns",
    "whole features",
    "two classes",
    "one price",
    "all of these",
)


def search_of(seed, instances=18, features=10, classes=3):
    """What the native solver searches, every weight free to move."""
    problem = random_problem(seed, instances, features, classes)
    data = merge(problem)
    prices = price_bound(problem, data, np.zeros((len(data.labels), classes)))
    deadline = time.perf_counter() + FOREVER
    zero = as_relaxed(zero_model(problem, data))
    return Search(problem, data, prices, zero, 1e6, 0.0, 30, deadline)


def random_model(problem, data, seed):
    """A native model of any weights in range."""
    random = np.random.default_rng(seed)
    shape = problem.num_classes, len(data.sizes)
    weights = random.integers(-data.sizes, data.sizes + 1, shape)
    model = make_model(problem, data, weights, random.integers(-2, 3, shape[0]) + 0.0)
    assert model is not None
    return model


def every_cost(problem, reach):
    """Costs of all weights (rows) with all intercepts of a range (columns).

    The first class's intercept is 0, which leaves all there are up to a constant.
    """
    classes, features = problem.num_classes, problem.features.shape[1]
    weights = np.array(list(itertools.product((-1, 0, 1), repeat=classes * features)))
    others = itertools.product(range(-reach, reach + 1), repeat=classes - 1)
    intercepts = np.array([(0, *other) for other in others])
    shaped = weights.reshape(-1, classes, features)
    scores = np.einsum("wcf,nf->wnc", shaped, problem.features)[:, None]
    scores = scores + intercepts[None, :, None, :]
    rows = np.arange(len(problem.labels))
    own = scores[:, :, rows, problem.labels].copy()
    scores[:, :, rows, problem.labels] = -(10**6)
    margins = own - scores.max(axis=-1)
    gain = np.where(margins >= 0, problem.alpha, problem.beta) * margins
    return np.abs(weights).sum(axis=1)[:, None] - gain.sum(axis=-1), intercepts


def least_cost(problem, limit=None):
    """The optimum within a range of intercepts; far beyond the bound where None."""
    reach = 2 * problem.intercept_limit + 2 if limit is None else 2 * limit
    costs, intercepts = every_cost(problem, reach)
    if limit is not None:
        costs = costs[:, np.ptp(intercepts, axis=1) <= 2 * limit]
    return float(costs.min())


@pytest.fixture
def make_problem():
    return random_problem


@pytest.fixture
def brute_force():
    return least_cost


# Of the session, as Hypothesis wants what its examples share.
@pytest.fixture(scope="session", params=UNUSUAL)
def make_unusual(request):
    return functools.partial(unusual_problem, request.param)


@pytest.fixture(scope="session")
def make_search():
    return search_of


@pytest.fixture(scope="session")
def make_random_model():
    return random_model

"""Small networks and problems."""

import itertools

import numpy as np
import pytest

from qpm_jax.networks import (
    ConvProblem,
    NetworkProblem,
    ReLUNetwork,
    weight_family,
)
from qpm_jax.networks.starts.conv_starts import conv_repaired


def random_network(seed, widths, family=None):
    """Weights in the family behind the first layer, small integers where none."""
    random = np.random.default_rng(seed)
    weights = [
        random.normal(size=(out, into)) for into, out in itertools.pairwise(widths)
    ]
    if family is not None:
        weights[1:] = [family.rounded(each) for each in weights[1:]]
    biases = [random.normal(size=out) for out in widths[1:]]
    return ReLUNetwork(tuple(weights), tuple(biases))


def random_problem(seed=0, instances=6, features=2, classes=2, **settings):
    random = np.random.default_rng(seed)
    data = random.normal(size=(instances, features))
    return NetworkProblem(data, np.arange(instances) % classes, classes, **settings)


def draw_blobs(seed, count=12, classes=3, family="ternary", hidden=(2,), **settings):
    """Two features, a cloud of points around a drawn centre for each class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    data = random.normal(size=(count, 2)) + 2 * random.normal(size=(classes, 2))[labels]
    return NetworkProblem(
        data, labels, classes, hidden, weight_family(family), **settings
    )


def draw_conv(seed, problem):
    random = np.random.default_rng(seed)
    outputs = problem.codes.shape[1]
    drawn = problem.network(
        random.normal(size=(problem.channels, problem.patch_size)),
        random.normal(size=problem.channels),
        random.normal(size=(outputs, *problem.pooled_shape)),
        random.normal(size=outputs),
    )
    return conv_repaired(problem, drawn)


def draw_conv_problem(seed=0, images=4, side=4, depth=1, classes=2, **settings):
    random = np.random.default_rng(seed)
    data = random.uniform(0, 1, size=(images, side, side, depth))
    return ConvProblem(data, np.arange(images) % classes, classes, **settings)


@pytest.fixture(scope="session")
def blobs():
    return draw_blobs


@pytest.fixture
def random_conv():
    return draw_conv


@pytest.fixture
def conv_problem():
    return draw_conv_problem


@pytest.fixture
def make_network():
    return random_network


@pytest.fixture
def make_problem():
    return random_problem


@pytest.fixture
def ternary():
    return weight_family("ternary")

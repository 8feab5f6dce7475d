"""Small networks and problems."""

import itertools

import numpy as np
import pytest

from qpm_jax.networks import NetworkProblem, ReLUNetwork, weight_family


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


@pytest.fixture
def make_network():
    return random_network


@pytest.fixture
def make_problem():
    return random_problem


@pytest.fixture
def ternary():
    return weight_family("ternary")

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.networks import FilterSign, PositionLimit, build_conv, weight_family
from qpm_jax.networks.conv_rule_limits import follows_rules
from qpm_jax.networks.local_search.conv_search import conv_search
from qpm_jax.networks.local_search.perturbed_search import perturbed_search, shaken
from qpm_jax.networks.starts.conv_starts import conv_zero


@pytest.fixture
def tiny(conv_problem):
    """Small enough for a solver to prove the best network."""
    return conv_problem(
        images=4,
        side=2,
        filter_size=1,
        channels=1,
        l1=0.02,
        family=weight_family("ternary"),
    )


def test_it_finds_what_a_solver_proves_where_one_descent_stays(tiny):
    zero = conv_zero(tiny)
    proven = solvers.solve(build_conv(tiny).program, threads=1, gap=0.0)
    assert proven.status == "optimal"
    one = tiny.objective(conv_search(tiny, zero, 5.0))
    many = tiny.objective(perturbed_search(tiny, [zero], 60.0, patience=20))
    assert many == pytest.approx(proven.objective, rel=1e-4)
    assert many < one - 1e-3


def test_it_begins_from_every_network_the_best_one_first(
    conv_problem, random_conv, monkeypatch
):
    problem = conv_problem(images=6)
    networks = [random_conv(seed, problem) for seed in range(3)]
    begun = []
    monkeypatch.setattr(
        "qpm_jax.networks.local_search.perturbed_search.conv_search",
        lambda problem, network, *_: begun.append(network),
    )
    perturbed_search(problem, networks, 30.0, patience=0)
    assert begun == sorted(networks, key=problem.objective)


def test_it_tells_of_better_networks_alone(conv_problem, random_conv):
    problem = conv_problem(images=6, classes=3)
    networks = [random_conv(seed, problem) for seed in range(2)]
    told = []
    found = perturbed_search(
        problem, networks, 5.0, patience=1, improved=lambda *news: told.append(news)
    )
    objectives = [objective for _, objective in told]
    assert objectives == sorted(set(objectives), reverse=True)
    assert objectives[0] < min(problem.objective(each) for each in networks)
    assert told[-1] == (found, problem.objective(found))


def test_without_time_the_best_network_comes_back(conv_problem, random_conv):
    problem = conv_problem(images=6)
    networks = [random_conv(seed, problem) for seed in range(3)]
    found = perturbed_search(problem, networks, 0.0)
    assert found is min(networks, key=problem.objective)


def test_nothing_to_begin_from_is_refused(conv_problem):
    with pytest.raises(ValueError, match="networks is empty"):
        perturbed_search(conv_problem(), [], 1.0)


@given(seed=st.integers(0, 1000), family=st.sampled_from(["grid", "ternary"]))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_shaken_network_is_of_the_family_and_follows_the_rules(
    seed, family, conv_problem, random_conv
):
    rules = (FilterSign(1), PositionLimit(2))
    problem = conv_problem(seed, family=weight_family(family), rules=rules)
    network = random_conv(seed, problem)
    found = shaken(problem, network, np.random.default_rng(seed))
    assert follows_rules(problem, found)
    assert np.array_equal(problem.family.rounded(found.readout), found.readout)
    assert np.abs(found.filters).max() <= problem.weight_limit

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from qpm_jax import solvers
from qpm_jax.networks import (
    ConvProblem,
    FeatureLimit,
    FilterSign,
    LinearRule,
    MILPConvClassifier,
    PositionLimit,
    ReadoutSign,
    build_conv,
    conv_interval_bounds,
    conv_program_size,
    read_conv,
    solve_conv,
    tightened_conv_bounds,
    weight_family,
    write_conv,
)
from qpm_jax.networks.conv_network import convolved
from qpm_jax.networks.conv_rule_limits import follows_rules
from qpm_jax.networks.local_search.conv_search import conv_search
from qpm_jax.networks.local_search.readout_program import readout_program, with_readout
from qpm_jax.networks.starts.conv_repair import conv_repaired
from qpm_jax.networks.starts.conv_starts import conv_zero
from qpm_jax.networks.starts.conv_training import train_conv
from qpm_jax.solvers.solution import evaluate

# Two channels of 3×3 filters, a pooled map of 2×2, two outputs.
FILTERS, READOUT = (2, 3, 3, 1), (2, 2, 2, 2)
ONE_CHANNEL = np.zeros(FILTERS)
ONE_CHANNEL[0] = 1.0
RULES = {
    "filters of one sign": [FilterSign(1)],
    "filters below zero": [FilterSign(-1)],
    "an output that only adds": [ReadoutSign(1, 1)],
    "two positions": [PositionLimit(2)],
    "no position": [PositionLimit(0)],
    "a sum of one filter": [LinearRule(0, ONE_CHANNEL, 0.5, 1.0)],
    "a sum of the readout": [LinearRule(1, np.ones(READOUT), -0.1, 0.6)],
    "several": [
        FilterSign(1),
        ReadoutSign(0, -1),
        PositionLimit(2),
        LinearRule(0, ONE_CHANNEL, 0.5, 2.0),
        LinearRule(1, np.ones(READOUT), 0.5, 2.0),
    ],
}


def follows(rules, network, room=1e-5):
    """Every rule, word by word."""
    fine = []
    for rule in rules:
        if isinstance(rule, FilterSign):
            fine.append((rule.sign * network.filters >= 0).all())
        elif isinstance(rule, ReadoutSign):
            fine.append((rule.sign * network.readout[rule.output] >= 0).all())
        elif isinstance(rule, PositionLimit):
            fine.append((network.readout != 0).any(axis=(0, 3)).sum() <= rule.most)
        else:
            weights = network.readout if rule.layer else network.filters
            total = (rule.coefficients * weights).sum()
            fine.append(rule.lower - room <= total <= rule.upper + room)
    return all(fine)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("family", ["grid", "ternary", "bilinear"])
def test_a_repaired_network_follows_the_rules_and_so_does_its_program(
    rules, family, conv_problem, random_conv
):
    problem = conv_problem(rules=rules, family=weight_family(family, 0.25, 4))
    network = random_conv(1, problem)
    assert follows(rules, network)
    assert follows_rules(problem, network)
    again = conv_repaired(problem, network)
    assert np.allclose(again.filters, network.filters)
    assert np.array_equal(again.readout, network.readout)
    conv = build_conv(problem, quadratic=True)
    values = write_conv(conv, network)
    objective, violation = evaluate(conv.program, values)
    assert violation < 1e-6
    assert objective == pytest.approx(problem.objective(network))
    assert follows(rules, read_conv(conv, values))
    size = conv_program_size(problem)
    assert size["variables"] == conv.program.num_variables
    assert size["binaries"] == conv.program.integer.sum()


@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(RULES)))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_program_refuses_exactly_what_breaks_a_rule(
    seed, name, conv_problem, random_conv
):
    free = conv_problem(seed, images=2)
    problem = conv_problem(seed, images=2, rules=RULES[name])
    drawn = random_conv(seed, free)
    network = random_conv(seed, problem) if seed % 2 else drawn
    kept = follows(RULES[name], network, room=1e-7)
    assert follows_rules(problem, network) == kept
    conv = build_conv(problem, ordered=False)
    assert (evaluate(conv.program, write_conv(conv, network))[1] < 1e-6) == kept


@given(seed=st.integers(0, 1000), name=st.sampled_from(sorted(RULES)))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_part_of_the_readout_is_solved_within_the_rules(
    seed, name, conv_problem, random_conv
):
    problem = conv_problem(seed, images=4, rules=RULES[name], l1=0.01)
    network = random_conv(seed, problem)
    free = np.random.default_rng(seed).random((2, 8)) < 0.5
    part = readout_program(problem, network, free)
    objective, violation = evaluate(part.program, part.start)
    assert violation < 1e-6
    found = solvers.solve(part.program, time_limit=600, threads=1)
    better = with_readout(problem, network, part, found.values)
    assert follows(RULES[name], better)
    gained = problem.objective(network) - problem.objective(better)
    assert gained == pytest.approx(objective - found.objective, abs=1e-5)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_the_search_stays_within_the_rules(rules, conv_problem, random_conv):
    problem = conv_problem(images=8, rules=rules)
    told = []
    conv_search(
        problem,
        random_conv(0, problem),
        0.7,
        improved=lambda network, _: told.append(network),
        step_limit=0.3,
    )
    assert all(follows(rules, each) for each in told)


def test_training_keeps_signs(conv_problem):
    rules = [FilterSign(1), ReadoutSign(0, -1)]
    network = train_conv(conv_problem(rules=rules), steps=20)
    assert follows(rules, network)
    assert network.filters.any()
    assert network.readout[0].any()


def bright(rules=()):
    """One pixel more or less tells the classes apart."""
    pixels = np.array([0.1, 0.9, 0.2, 1.0]).reshape(4, 1, 1)
    family = weight_family("ternary")
    return ConvProblem(
        pixels, [0, 1] * 2, 2, 1, 1, "max", 1, family, l1=0.05, rules=rules
    )


@pytest.mark.parametrize(
    "rules",
    [
        (),
        [FilterSign(-1)],
        [ReadoutSign(0, 1), ReadoutSign(1, -1)],
        [PositionLimit(0)],
        [LinearRule(1, np.ones((2, 1, 1, 1)), 1.0, 2.0)],
        [LinearRule(0, np.ones((1, 1, 1, 1)), 0.25, 0.5)],
    ],
)
def test_the_least_objective_within_the_rules_is_the_one_counted_out(rules):
    problem = bright(rules)
    told = []
    found = solve_conv(
        problem,
        time_limit=600,
        gap=0.0,
        threads=1,
        start=conv_zero(problem),
        progress=lambda objective, *_: told.append(objective),
    )
    assert found.status == "optimal"
    assert follows(rules, found.network)
    at = np.linspace(-1, 1, 5)
    every = (
        problem.network([f], np.array([b]), [v, w], np.array([one, other]))
        for v, w in itertools.product([-1, 0, 1], repeat=2)
        for f, b, one, other in itertools.product(at, at, at[::2], at[::2])
    )
    counted = min(problem.objective(each) for each in every if follows(rules, each))
    assert found.objective <= counted + 1e-6
    assert counted - found.objective < 0.15
    assert told[-1] == pytest.approx(found.objective)


def test_a_channel_that_a_rule_singles_out_keeps_its_place_and_has_its_own_bounds(
    conv_problem,
):
    small = [LinearRule(0, ONE_CHANNEL, -0.1, 0.1)]
    signed = [FilterSign(1)]
    problem = conv_problem(images=2, side=2, l1=0.1, rules=small + signed)
    filters = np.zeros(FILTERS)
    filters[1] = 0.5
    zero = conv_zero(problem)
    network = conv_repaired(
        problem,
        problem.network(filters, zero.filter_biases, zero.readout, zero.readout_biases),
    )
    assert network.filters[0].sum() < 0.2 < network.filters[1].sum()
    conv = build_conv(problem)
    assert evaluate(conv.program, write_conv(conv, network))[1] < 1e-6
    objective = problem.objective(network)
    free = conv_interval_bounds(problem)
    bounds = tightened_conv_bounds(problem, free, objective, 600)
    reached = convolved(network, problem.images)
    assert (bounds.lower - 1e-6 <= reached).all()
    assert (reached <= bounds.upper + 1e-6).all()
    assert (bounds.upper[..., 0] < bounds.upper[..., 1] - 0.1).any()


def test_an_estimator_follows_its_rules():
    random = np.random.default_rng(0)
    images = random.uniform(size=(20, 4, 4))
    images[::2] += 0.5
    rules = (FilterSign(1), PositionLimit(1))
    model = MILPConvClassifier(1, rules=rules, time_limit=2.0, threads=1)
    model.fit(images, np.arange(20) % 2)
    assert follows(rules, model.network_)
    assert clone(model).rules == rules


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (FilterSign(2), "sign is 2; it must be 1 or -1"),
        (ReadoutSign(0, 0), "sign is 0"),
        (ReadoutSign(2), "output is 2; it must be 0 … 1"),
        (PositionLimit(5), "most is 5; it must be 0 … 4"),
        (LinearRule(2, np.ones(FILTERS)), "layer is 2; it must be 0 … 1"),
        (LinearRule(0, np.ones((2, 9))), r"coefficients has shape \(2, 9\)"),
        (LinearRule(1, np.ones(READOUT), 1, 0), "lower must not exceed upper"),
        (FeatureLimit(1), "rules holds a FeatureLimit; give FilterSign"),
    ],
)
def test_rules_that_name_what_is_not_there_are_refused(rule, words, conv_problem):
    with pytest.raises(ValueError, match=words):
        conv_problem(rules=[rule])


def test_rules_that_no_network_follows_are_refused(conv_problem):
    problem = conv_problem(rules=[FilterSign(-1), LinearRule(0, ONE_CHANNEL, 0.5)])
    with pytest.raises(ValueError, match="linear rules of layer 0 that no weights"):
        solve_conv(problem, time_limit=0)

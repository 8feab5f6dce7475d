import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.networks import ConvProblem, build_conv, conv_outputs, weight_family
from qpm_jax.networks.bounds.conv_bound import pair_bound
from qpm_jax.networks.conv_solve import solve_conv
from qpm_jax.networks.local_search.conv_search import conv_search
from qpm_jax.networks.local_search.filter_step import (
    filter_program,
    output_slopes,
    with_filters,
)
from qpm_jax.networks.local_search.readout_program import readout_program, with_readout
from qpm_jax.networks.starts.conv_starts import (
    conv_pruned,
    conv_repaired,
    conv_starts,
    conv_zero,
    left_out_accuracy,
)
from qpm_jax.networks.starts.conv_training import train_conv
from qpm_jax.solvers.solution import evaluate


def bars(images=40, seed=0, **settings):
    """Upright and lying bars with noise."""
    random = np.random.default_rng(seed)
    pixels = random.uniform(0, 0.2, (images, 6, 6))
    labels = np.arange(images) % 2
    for image, label in enumerate(labels):
        place = random.integers(1, 5)
        if label:
            pixels[image, place] += 0.8
        else:
            pixels[image, :, place] += 0.8
    return ConvProblem(pixels, labels, 2, **settings)


@pytest.mark.parametrize("family", ["grid", "ternary", "bilinear"])
@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_the_readout_program_is_the_objective_of_held_filters(
    family, encoding, conv_problem, random_conv
):
    problem = conv_problem(
        images=6, classes=3, label_encoding=encoding, family=weight_family(family)
    )
    network = random_conv(0, problem)
    free = np.random.default_rng(0).random((problem.codes.shape[1], 8)) < 0.5
    part = readout_program(problem, network, free)
    objective, violation = evaluate(part.program, part.start)
    assert violation < 1e-9
    found = solvers.solve(part.program, threads=1)
    better = with_readout(problem, network, part, found.values)
    gained = problem.objective(network) - problem.objective(better)
    assert gained == pytest.approx(objective - found.objective, abs=1e-6)
    held = ~free.reshape(network.readout.shape)
    assert np.array_equal(better.readout[held], network.readout[held])


def test_chords_price_squares_exactly_on_the_grid(conv_problem, random_conv):
    problem = conv_problem(l2=0.3)
    network = random_conv(1, problem)
    free = np.ones((2, 8), bool)
    part = readout_program(problem, network, free)
    objective, _ = evaluate(part.program, part.start)
    filters = problem.l1 * np.abs(network.filters).sum()
    assert objective == pytest.approx(problem.objective(network) - filters)


def test_held_filters_have_the_best_readout_that_counting_finds(
    conv_problem, random_conv
):
    problem = conv_problem(
        images=4, side=2, channels=1, family=weight_family("ternary"), l1=0.01
    )
    network = random_conv(0, problem)
    part = readout_program(problem, network, np.ones((2, 1), bool))
    found = solvers.solve(part.program, threads=1)
    best = problem.objective(with_readout(problem, network, part, found.values))
    counted = min(
        problem.objective(
            problem.network(
                network.filters, network.filter_biases, [[v], [w]], np.array([b, 0.0])
            )
        )
        for v in (-1, 0, 1)
        for w in (-1, 0, 1)
        for b in np.linspace(-1, 1, 41)
    )
    assert best <= counted + 1e-9
    assert counted - best < 0.06


@given(seed=st.integers(0, 50), pooling=st.sampled_from(["max", "average"]))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_outputs_are_linear_in_the_filters_where_patterns_stay(
    seed, pooling, conv_problem, random_conv
):
    problem = conv_problem(seed, depth=2, pooling=pooling)
    network = random_conv(seed, problem)
    slopes = output_slopes(problem, network)
    flat = network.filters.reshape(2, -1)
    here = np.hstack([flat, network.filter_biases[:, None]])
    rebuilt = np.einsum("nock,ck->no", slopes, here) + network.readout_biases
    assert np.allclose(rebuilt, conv_outputs(network, problem.images))


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_a_small_step_of_the_filters_is_foreseen(encoding, conv_problem, random_conv):
    problem = conv_problem(images=6, classes=3, label_encoding=encoding)
    network = random_conv(2, problem)
    program, start = filter_program(problem, network, 1e-5)
    objective, violation = evaluate(program, start)
    assert violation < 1e-9
    found = solvers.solve(program, threads=1)
    better = with_filters(problem, network, found.values)
    gained = problem.objective(network) - problem.objective(better)
    assert gained >= 0
    assert gained == pytest.approx(objective - found.objective, rel=0.05, abs=1e-6)


def test_training_stays_within_limits_and_learns():
    problem = bars(channels=1, weight_limit=0.5, pooling="average")
    network = train_conv(problem, steps=200, dropout=0.1)
    assert np.abs(network.filters).max() <= 0.5
    assert np.abs(network.readout).max() <= problem.family.limit
    assert problem.loss(conv_repaired(problem, network)) < 0.8
    mask = np.zeros(network.readout.shape, bool)
    mask[0, 0] = True
    again = train_conv(problem, steps=20, mask=mask, start=network)
    assert not again.readout[~mask].any()


def test_starts_are_of_the_family_and_the_best_filters_come_first():
    problem = bars()
    starts = conv_starts(problem, restarts=2)
    told = [left_out_accuracy(problem, each.network) for each in starts]
    assert told == sorted(told, reverse=True)
    assert told[0] > 0.8
    for each in starts:
        readout = each.network.readout
        assert np.array_equal(problem.family.rounded(readout), readout)
    pruned = conv_pruned(problem, starts[0], 5)
    assert (pruned.readout != 0).sum() <= 5
    with pytest.raises(ValueError, match="weights is 99; it must be 0 … 36"):
        conv_pruned(problem, starts[0], 99)


def test_the_search_only_ever_improves():
    problem = bars(pooling="max")
    start = conv_repaired(problem, train_conv(problem, steps=100))
    told = []
    found = conv_search(problem, start, 4.0, improved=lambda _, o: told.append(o))
    assert told == sorted(told, reverse=True)
    assert told[-1] == problem.objective(found) < problem.objective(start)
    assert np.array_equal(problem.family.rounded(found.readout), found.readout)


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_no_network_is_below_the_bound(encoding, pooling, random_conv):
    problem = bars(12, l1=0.1, label_encoding=encoding, pooling=pooling)
    bound = pair_bound(problem, 10.0)
    assert bound > 0
    networks = [random_conv(seed, problem) for seed in range(5)]
    networks.append(conv_repaired(problem, train_conv(problem, steps=100)))
    for each in networks:
        assert problem.objective(each) >= bound
    assert pair_bound(problem, 0.0) == 0


def test_the_bound_holds_beside_a_proven_optimum(conv_problem):
    problem = conv_problem(
        images=2, side=2, filter_size=1, channels=1, l1=0.2, pooling="average"
    )
    found = solvers.solve(build_conv(problem).program, threads=1)
    assert found.status == "optimal"
    assert 0 < pair_bound(problem, 10.0) <= found.objective + 1e-9


def test_a_small_network_is_solved_to_the_end(conv_problem):
    problem = conv_problem(
        images=2, side=2, filter_size=1, channels=1, l1=0.2, pooling="average"
    )
    told = []
    found = solve_conv(
        problem,
        time_limit=20,
        threads=1,
        gap=0.0,
        start=conv_zero(problem),
        progress=lambda *news: told.append(news),
    )
    assert found.status == "optimal"
    assert found.bound <= found.objective
    assert found.objective == pytest.approx(problem.objective(found.network))
    assert len(told) == len(found.history)


def test_an_interrupt_keeps_the_best_so_far(monkeypatch):
    problem = bars()
    start = conv_repaired(problem, train_conv(problem, steps=30))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "qpm_jax.networks.local_search.conv_search._other_readout", interrupted
    )
    found = solve_conv(problem, time_limit=3, start=start, threads=1)
    assert found.status == "interrupted"
    assert found.objective <= problem.objective(start)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"relu": "sos"}, "relu is 'sos'"),
        ({"solver": "cbc"}, "solver is 'cbc'"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"relu": "indicator"}, "cannot take relu='indicator'; choose scip or gurobi"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        solve_conv(bars(), **settings)

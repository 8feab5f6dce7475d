import importlib
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.networks import (
    ConvBounds,
    ConvProblem,
    build_conv,
    conv_interval_bounds,
    read_conv,
    solve_conv,
    tightened_conv_bounds,
    weight_family,
    write_conv,
)
from qpm_jax.networks.conv_network import convolved
from qpm_jax.networks.experiments import image_data, image_runs, settings
from qpm_jax.networks.local_search.conv_search import conv_search
from qpm_jax.networks.starts.conv_starts import conv_zero
from qpm_jax.solvers.solution import evaluate

conv_solve = importlib.import_module("qpm_jax.networks.conv_solve")


def corners(family="ternary", **given):
    """A bright corner tells the classes apart."""
    pixels = np.random.default_rng(0).uniform(0, 0.3, (4, 2, 2))
    pixels[::2, 0, 0] += 0.7
    standard = {"channels": 1, "pooling": "average", "l1": 0.1}
    return ConvProblem(
        pixels, np.arange(4) % 2, 2, family=weight_family(family), **standard | given
    )


def holds(bounds, problem, network):
    reached = convolved(network, problem.images)
    above = (reached <= bounds.upper + 1e-6).all()
    return bool(above and (reached >= bounds.lower - 1e-6).all())


@pytest.mark.parametrize("family", ["ternary", "grid", "bilinear"])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("channels", [1, 2])
def test_bounds_of_the_relaxation_are_tighter_and_hold(family, pooling, channels):
    problem = corners(family, pooling=pooling, channels=channels, l1=0.5)
    network = conv_search(problem, conv_zero(problem), 0.5)
    objective = problem.objective(network)
    free = conv_interval_bounds(problem)
    found = tightened_conv_bounds(problem, free, objective, 600)
    assert holds(found, problem, network)
    assert (found.upper <= free.upper).all()
    assert (found.lower >= free.lower).all()
    assert found.upper.shape == (4, 2, 2, channels)
    assert found.upper.sum() < 0.99 * free.upper.sum()
    analytic = conv_interval_bounds(problem, objective)
    assert found.upper.sum() < 1.02 * analytic.upper.sum()


def test_every_counted_network_that_is_no_worse_is_within_the_bounds():
    problem = corners(filter_size=1)
    at = np.linspace(-1, 1, 9)
    every = [
        problem.network([f], np.array([b]), [v, w], np.array([one, -one]))
        for f, b, one in itertools.product(at, at, at[::4])
        for v, w in itertools.product([-1, 0, 1], repeat=2)
    ]
    objectives = np.array([problem.objective(each) for each in every])
    for objective in np.quantile(objectives, [0.05, 0.3]):
        known = conv_interval_bounds(problem)
        found = tightened_conv_bounds(problem, known, objective, 600)
        kept = itertools.compress(every, objectives <= objective)
        assert all(holds(found, problem, each) for each in kept)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.05, 1.0))
@examples(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_bounds_of_a_networks_objective_hold_for_it(
    seed, scale, conv_problem, random_conv
):
    problem = conv_problem(
        seed,
        images=3,
        side=2,
        l1=0.1,
        l2=0.05,
        channel_price=0.1,
        gate_price=0.01,
        pooling=("max", "average")[seed % 2],
        label_encoding=("one_hot", "binary")[seed // 2 % 2],
    )
    drawn = random_conv(seed, problem)
    network = problem.network(
        scale * drawn.filters, drawn.filter_biases, drawn.readout, drawn.readout_biases
    )
    objective = problem.objective(network)
    known = conv_interval_bounds(problem, objective)
    assert holds(known, problem, network)
    found = tightened_conv_bounds(problem, known, objective, 600)
    assert holds(found, problem, network)
    conv = build_conv(problem, bounds=found, ordered=False)
    assert evaluate(conv.program, write_conv(conv, network))[1] < 1e-6


@pytest.mark.parametrize("relu", ["big_m", "partitioned"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_the_optimum_stays_with_tightened_bounds(relu, pooling):
    problem = corners(pooling=pooling, filter_size=1, l1=0.15)
    whole = solvers.solve(
        build_conv(problem).program, time_limit=600, threads=1, gap=0.0
    )
    assert whole.status == "optimal"
    best = whole.objective
    bounds = tightened_conv_bounds(problem, conv_interval_bounds(problem), best, 600)
    conv = build_conv(problem, relu, bounds)
    found = solvers.solve(conv.program, time_limit=600, threads=1, gap=0.0)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(best, abs=1e-5)
    network = read_conv(conv, found.values)
    assert problem.objective(network) == pytest.approx(best, abs=1e-5)


def test_channels_of_unlike_bounds_have_bounds_of_their_own():
    problem = corners(channels=2)
    free = conv_interval_bounds(problem)
    upper = free.upper.copy()
    upper[..., 1] = 0.25
    usual = tightened_conv_bounds(problem, free, 0.9, 600)
    found = tightened_conv_bounds(problem, ConvBounds(free.lower, upper), 0.9, 600)
    assert (found.upper[..., 0] <= usual.upper[..., 0] + 1e-6).all()
    assert (found.upper[..., 0] > 0.25).any()
    assert (found.upper[..., 1] <= 0.25).all()


def test_threads_share_the_positions_and_without_time_bounds_stay():
    problem = corners()
    free = conv_interval_bounds(problem)
    one = tightened_conv_bounds(problem, free, 0.9, 600)
    two = tightened_conv_bounds(problem, free, 0.9, 600, threads=2)
    assert np.allclose(one.upper, two.upper, atol=1e-6)
    assert np.allclose(one.lower, two.lower, atol=1e-6)
    same = tightened_conv_bounds(problem, free, 0.9, 0)
    assert np.array_equal(same.upper, free.upper)


@pytest.mark.parametrize(("threads", "used"), [(None, 3), (2, 2)])
def test_a_solve_tightens_with_its_threads_or_one_a_processor(
    threads, used, monkeypatch
):
    asked = []

    def noted(problem, bounds, objective, seconds, threads):
        asked.append((seconds, threads))
        return bounds

    monkeypatch.setattr(conv_solve, "usable_processors", lambda: 3)
    monkeypatch.setattr(conv_solve, "tightened_conv_bounds", noted)
    problem = corners(filter_size=1)
    start = conv_zero(problem)
    solve_conv(problem, time_limit=600, threads=threads, start=start, tightening=0.5)
    ((seconds, given),) = asked
    assert given == used
    assert 0 < seconds <= 300


def test_a_solve_with_tightened_bounds_comes_to_its_end():
    problem = corners(filter_size=1)
    found = solve_conv(
        problem, time_limit=600, threads=1, gap=0.0, start=conv_zero(problem)
    )
    same = solve_conv(
        problem,
        time_limit=600,
        threads=1,
        gap=0.0,
        start=conv_zero(problem),
        tightening=0.5,
    )
    assert found.status == same.status == "optimal"
    assert same.objective == pytest.approx(found.objective, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_an_experiment_tightens_where_that_is_asked_for(share, monkeypatch):
    asked = []

    def noted(problem, *_, tightening, **__):
        asked.append(tightening)
        return solve_conv(problem, time_limit=0)

    monkeypatch.setattr(image_runs, "solve_conv", noted)
    config = settings.from_dict(
        {
            "table": "digits",
            "models": ("milp",),
            "conv": {"side": 4, "training_images": 40},
            "milp": {"tightening": share},
        }
    )
    image_runs.execute_images(image_data.load("digits", 4), 0, config)
    assert asked == [share]


def test_a_share_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"tightening is -0.1; it must be 0 or more"):
        solve_conv(corners(), tightening=-0.1)

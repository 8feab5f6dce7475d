import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.regression import (
    RegressionProblem,
    build_pbo,
    read_bits,
    solve,
    solve_pbo,
    start,
)
from qpm_jax.regression.pseudo_boolean.bit_encoding import encode_bits
from qpm_jax.regression.pseudo_boolean.program import write_bits


@pytest.mark.parametrize("solver", ["scip", "highs"])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_that_of_trying_everything_and_of_the_mip(
    make_problem, brute_force, solver, seed
):
    small = make_problem(seed, instances=5)
    found = solve_pbo(small, solver, threads=1)
    assert found.objective == found.bound == brute_force(small)
    assert found.objective == solve(small, threads=1).objective
    assert found.status == "optimal"


@pytest.mark.skipif(
    importlib.util.find_spec("exact") is None,
    reason="needs the package exact (pip install 'qpm-jax[exact]')",
)
@pytest.mark.parametrize("seed", range(2))
def test_exact_agrees_with_trying_everything(make_problem, brute_force, seed):
    small = make_problem(seed, instances=5, features=1)
    found = solve_pbo(small, "exact", 600)
    assert found.objective == found.bound == brute_force(small)
    assert (found.status, found.solver) == ("optimal", "exact")


def test_where_a_package_is_missing_the_error_says_how_to_install_it(
    monkeypatch, make_problem
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "qpm-jax\[exact\]"'):
        solve_pbo(make_problem(0), "exact")


def test_every_variable_is_zero_or_one(make_problem):
    program = build_pbo(make_problem(0)).program
    assert program.integer.all()
    assert not program.lower.any()
    assert (program.upper == 1).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_bits_cost_what_the_weights_cost(seed):
    random = np.random.default_rng(seed)
    features = random.integers(0, 3, (7, 4))
    features[:, 3] = features[:, 0]
    some = RegressionProblem(features, np.arange(7) % 3, 3, 2, 5)
    pbo = build_pbo(some)
    weights = random.integers(-1, 2, (3, 4))
    weights[:, pbo.data.group < 0] = 0
    offsets = random.integers(-some.intercept_limit, some.intercept_limit + 1, 3)
    bits = write_bits(pbo, weights, offsets)
    objective, violation = solvers.solution.evaluate(pbo.program, bits)
    assert violation == 0
    assert objective == some.objective(*read_bits(pbo, bits))
    assert objective <= some.objective(weights, offsets)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 40)), min_size=1))
def test_bits_write_every_number_of_a_range_and_no_other(ranges):
    lower = np.array([low for low, _ in ranges], float)
    upper = lower + [width for _, width in ranges]
    program = one_row(lower, upper)
    encoded = encode_bits(program)
    random = np.random.default_rng(0)
    values = np.floor(lower + random.random(len(lower)) * (upper - lower + 1))
    bits = encoded.bits(values)
    assert np.array_equal(encoded.values(bits), values)
    assert solvers.solution.evaluate(encoded.program, bits)[1] == 0
    most = encoded.values(np.ones(len(bits)))
    beyond = (most > upper).any()
    assert (solvers.solution.evaluate(encoded.program, np.ones(len(bits)))[1] > 0) == (
        beyond
    )


def one_row(lower, upper, **changes):
    count = len(lower)
    fields = {
        "objective": np.ones(count),
        "rows": np.zeros((1, count)),
        "row_lower": [0],
        "row_upper": [0],
        "lower": lower,
        "upper": upper,
        "integer": np.ones(count, bool),
    }
    return solvers.MixedIntegerProgram(**(fields | changes))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (one_row([0.0], [np.inf]), "variable 0 of the program"),
        (one_row([0.0], [1.0], integer=[False]), "is not whole"),
        (one_row([0.0], [2.0**53]), "52 bits"),
        (one_row([0.0], [1.0], maximise=True), "linear and minimised"),
    ],
)
def test_what_cannot_be_written_in_bits_is_refused(program, words):
    with pytest.raises(ValueError, match=words):
        encode_bits(program)


def test_without_time_zero_weights_come_back(make_problem):
    assert solve_pbo(make_problem(0), time_limit=0).status == "no_incumbent"


def test_ctrl_c_while_the_start_is_made_returns_the_best_model_by_then(
    make_problem, monkeypatch
):
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "best_intercepts", pressed)
    found = solve_pbo(make_problem(0), threads=1)
    assert (found.status, found.solver, found.objective) == ("interrupted", "scip", 0)


def test_an_unknown_solver_is_refused(make_problem):
    with pytest.raises(ValueError, match="solver is 'roundingsat'; choose one of scip"):
        solve_pbo(make_problem(0), "roundingsat")

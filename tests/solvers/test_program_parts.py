import itertools

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.solvers import gurobi
from qpm_jax.solvers.parts import bilinear_activity
from qpm_jax.solvers.solution import evaluate

ABLE = ("scip", "gurobi")
PARTS = ("quadratic", "indicators", "bilinear")


def sides(random, rows):
    """Lower and upper sides, some infinite, some equal."""
    low = np.where(random.random(rows) < 0.5, -np.inf, random.integers(-4, 1, rows))
    high = np.where(random.random(rows) < 0.5, np.inf, random.integers(0, 4, rows))
    equal = np.isfinite(low) & (random.random(rows) < 0.3)
    return low, np.where(equal, low, high)


def random_program(seed, parts):
    random = np.random.default_rng(seed)
    low = random.integers(-2, 1, 5).astype(float)
    high = low + random.integers(0, 3, 5)
    low[:2], high[:2] = 0, 1
    more = {}
    if "quadratic" in parts:
        more["quadratic"] = random.integers(-2, 3, (5, 5))
    if "indicators" in parts:
        more["indicators"] = solvers.Indicators(
            random.integers(0, 2, 3),
            random.random(3) < 0.5,
            random.integers(-3, 4, (3, 5)),
            *sides(random, 3),
        )
    if "bilinear" in parts:
        more["bilinear"] = solvers.Bilinear(
            random.integers(0, 2, 4),
            random.integers(0, 5, 4),
            random.integers(0, 5, 4),
            random.integers(-2, 3, 4),
            random.integers(-2, 3, (2, 5)),
            *sides(random, 2),
        )
    return solvers.MixedIntegerProgram(
        random.integers(-3, 4, 5),
        random.integers(-3, 4, (2, 5)),
        *sides(random, 2),
        low,
        high,
        np.ones(5, bool),
        maximise=bool(random.integers(2)),
        **more,
    )


def best_of_all_points(program):
    grids = [
        np.arange(low, high + 1)
        for low, high in zip(program.lower, program.upper, strict=True)
    ]
    told = [evaluate(program, np.array(point)) for point in itertools.product(*grids)]
    fit = [objective for objective, violation in told if violation < 1e-9]
    if not fit:
        return None
    return max(fit) if program.maximise else min(fit)


@pytest.mark.parametrize("solver", ABLE)
@given(
    seed=st.integers(0, 10**6),
    parts=st.sampled_from([(), *((part,) for part in PARTS), PARTS]),
)
@settings(max_examples=30, deadline=None)
def test_every_part_is_solved_as_looking_at_every_point_does(solver, seed, parts):
    program = random_program(seed, parts)
    best = best_of_all_points(program)
    solution = solvers.solve(program, solver, threads=1)
    assert solution.status == ("infeasible" if best is None else "optimal")
    if best is not None:
        assert solution.objective == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("solver", ABLE)
def test_continuous_products_are_solved_to_the_optimum(solver):
    # Largest x y + x with x² + y² ≤ 2 and 0 ≤ x, y ≤ 3, by a fine grid: x ≈ 1.2.
    program = solvers.MixedIntegerProgram(
        objective=[1.0, 0.0],
        rows=np.zeros((0, 2)),
        row_lower=[],
        row_upper=[],
        lower=[0, 0],
        upper=[3, 3],
        integer=[False, False],
        quadratic=[[0.0, 1.0], [0.0, 0.0]],
        bilinear=solvers.Bilinear(
            [0, 0], [0, 1], [0, 1], [1, 1], np.zeros((1, 2)), [-np.inf], [2.0]
        ),
        maximise=True,
    )
    x = np.linspace(0, 1.414, 200_001)
    best = (x * np.sqrt(2 - x**2) + x).max()
    start = np.array([0.5, 0.5])
    solution = solvers.solve(program, solver, time_limit=20, warm_start=start)
    assert solution.objective == pytest.approx(best, rel=1e-4)
    assert solution.bound >= best - 1e-4


def test_products_are_sorted_and_equal_ones_added_up():
    part = solvers.Bilinear(
        [1, 0, 1], [2, 1, 0], [0, 1, 2], [1.0, 3.0, 0.5], np.eye(2, 3), [0, 0], [9, 9]
    )
    assert part.row.tolist() == [0, 1]
    assert (part.first.tolist(), part.second.tolist()) == ([1, 0], [1, 2])
    assert part.coefficient.tolist() == [3.0, 1.5]
    assert part.starts.tolist() == [0, 1, 2]
    activity = bilinear_activity(part, np.array([2.0, 3.0, 4.0]))
    assert activity.tolist() == [2 + 27.0, 3 + 12.0]


def test_broken_indicator_and_bilinear_rows_are_seen_from_outside():
    row = scipy.sparse.csr_array([[0.0, 1.0]])
    binary = {"lower": [0, 0], "upper": [1, 5], "integer": [True, False]}
    free = {"objective": [1, 1], "rows": np.zeros((0, 2))}
    empty = {"row_lower": [], "row_upper": []}
    switched = solvers.MixedIntegerProgram(
        **free,
        **empty,
        **binary,
        indicators=solvers.Indicators([0], [False], row, [-np.inf], [2.0]),
    )
    assert evaluate(switched, np.array([1.0, 5.0]))[1] == 0
    assert evaluate(switched, np.array([0.0, 5.0]))[1] == pytest.approx(1.5)
    product = solvers.MixedIntegerProgram(
        **free,
        **empty,
        **binary,
        bilinear=solvers.Bilinear([0], [0], [1], [1.0], 0 * row, [-np.inf], [2.0]),
    )
    assert evaluate(product, np.array([0.0, 5.0]))[1] == 0
    assert evaluate(product, np.array([1.0, 5.0]))[1] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: solvers.Indicators([0.5], [1], [[1.0]], [0], [1]), "variable holds"),
        (lambda: solvers.Indicators([-1], [1], [[1.0]], [0], [1]), "variable holds -1"),
        (lambda: solvers.Indicators([0], [2], [[1.0]], [0], [1]), "True or False"),
        (lambda: solvers.Indicators([0], [1], [[1.0]], [2], [1]), "nothing lies"),
        (lambda: solvers.Indicators([0, 1], [1], [[1.0]], [0], [1]), "has shape"),
        (
            lambda: solvers.Bilinear([1], [0], [0], [1], [[1.0]], [0], [1]),
            "row holds 1, but there are 1 rows",
        ),
        (
            lambda: solvers.Bilinear([0], [0], [0], [np.inf], [[1.0]], [0], [1]),
            "coefficient holds infinite",
        ),
        (
            lambda: solvers.Bilinear([0], [0], [0, 1], [1], [[1.0]], [0], [1]),
            "second has shape",
        ),
    ],
)
def test_malformed_parts_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indicators": ()}, "indicators is a tuple"),
        ({"bilinear": []}, "bilinear is a list"),
        (
            {"indicators": solvers.Indicators([1], [1], [[1.0, 0]], [0], [1])},
            "not binary",
        ),
        (
            {"indicators": solvers.Indicators([2], [1], [[1.0, 0]], [0], [1])},
            "variable holds 2",
        ),
        (
            {"indicators": solvers.Indicators([0], [1], [[1.0]], [0], [1])},
            "rows has 1 columns",
        ),
        (
            {"bilinear": solvers.Bilinear([0], [0], [2], [1], [[1.0, 0]], [0], [1])},
            "second holds 2",
        ),
    ],
)
def test_parts_that_do_not_fit_the_variables_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        solvers.MixedIntegerProgram(
            objective=[1.0, 1.0],
            rows=np.zeros((0, 2)),
            row_lower=[],
            row_upper=[],
            lower=[0, 0],
            upper=[1, 1],
            integer=[True, False],
            **changes,
        )


def wide(variables, **parts):
    return solvers.MixedIntegerProgram(
        objective=np.ones(variables),
        rows=scipy.sparse.csr_array((0, variables)),
        row_lower=[],
        row_upper=[],
        lower=np.zeros(variables),
        upper=np.ones(variables),
        integer=np.ones(variables, bool),
        **parts,
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: wide(
                9,
                indicators=solvers.Indicators(
                    np.zeros(2001),
                    np.ones(2001),
                    np.ones((2001, 9)),
                    np.full(2001, -np.inf),
                    np.zeros(2001),
                ),
            ),
            r"2001 indicator rows \(limit 2000\); solver='scip'",
        ),
        (
            lambda: wide(
                201,
                bilinear=solvers.Bilinear(
                    [0], [0], [1], [1], np.zeros((1, 201)), [0], [1]
                ),
            ),
            r"bilinear rows for 201 variables \(limit 200\); solver='scip'",
        ),
        (
            lambda: wide(201, quadratic=scipy.sparse.eye_array(201)),
            r"a quadratic part for 201 variables \(limit 200\); solver='scip'",
        ),
    ],
)
def test_gurobi_names_the_limit_of_each_part(make, message):
    if gurobi.licence()[0] == "full":
        pytest.skip("the Gurobi licence here has no size limit")
    with pytest.raises(ValueError, match=message):
        solvers.solve(make(), "gurobi")

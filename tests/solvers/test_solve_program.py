import importlib.util
import itertools
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.solvers import gurobi, gurobi_licence
from qpm_jax.solvers.solution import RawAnswer, better, evaluate, make_solution

SOLVERS = ("highs", "scip", "gurobi")


def knapsack(seed=0, variables=12, rows=3, maximise=True):
    random = np.random.default_rng(seed)
    weights = random.integers(0, 10, (rows, variables)).astype(float)
    worth = random.uniform(1, 10, variables)
    return solvers.MixedIntegerProgram(
        objective=worth if maximise else -worth,
        rows=weights,
        row_lower=np.full(rows, -np.inf),
        row_upper=np.full(rows, 2.5 * variables),
        lower=np.zeros(variables),
        upper=np.ones(variables),
        integer=np.ones(variables, bool),
        maximise=maximise,
    )


def tiny(row_lower, row_upper, lower, upper, integer=True):
    return solvers.MixedIntegerProgram(
        objective=[1.0, 1.0],
        rows=scipy.sparse.csr_array(np.eye(2)),
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=[integer] * 2,
    )


@given(seed=st.integers(0, 10**6), maximise=st.booleans())
@settings(max_examples=20, deadline=None)
def test_highs_finds_what_looking_at_every_point_finds(seed, maximise):
    program = knapsack(seed, variables=8, maximise=maximise)
    points = np.array(list(itertools.product([0.0, 1.0], repeat=8)))
    fits = (program.row_upper >= (program.rows @ points.T).T).all(axis=1)
    worth = points[fits] @ program.objective
    best = worth.max() if maximise else worth.min()
    solution = solvers.solve(program, "highs", threads=1)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_all_solvers_agree_and_the_objective_is_that_of_the_values(solver):
    program = knapsack()
    solution = solvers.solve(program, solver, threads=1, seed=3)
    assert solution.objective == pytest.approx(
        solvers.solve(program, "highs").objective, rel=1e-9
    )
    assert solution.objective == pytest.approx(program.objective @ solution.values)
    assert np.isin(solution.values, (0.0, 1.0)).all()
    assert (solution.status, solution.solver) == ("optimal", solver)
    assert solution.gap <= 1e-6
    assert solution.bound >= solution.objective
    assert solution.seconds > 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_integer_ranges_equalities_and_two_sided_rows_are_kept(solver):
    program = solvers.MixedIntegerProgram(
        objective=[1.0, -2.0, 0.5],
        rows=[[1.0, 1.0, 0.0], [1.0, -1.0, 1.0], [0.0, 0.0, 1.0]],
        row_lower=[-3.5, 1.0, -np.inf],
        row_upper=[3.5, 1.0, np.inf],
        lower=[-5.0, -5.0, 0.25],
        upper=[5.0, 5.0, 9.0],
        integer=[True, True, False],
        maximise=False,
    )
    grid = range(-5, 6)
    best = min(
        x - 2 * y + 0.5 * (1 - x + y)
        for x, y in itertools.product(grid, grid)
        if -3.5 <= x + y <= 3.5 and 0.25 <= 1 - x + y <= 9
    )
    assert solvers.solve(program, solver).objective == pytest.approx(best)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_continuous_program_is_solved_with_a_tight_bound(solver):
    program = tiny([0, 0], [0.5, 0.7], [-1, 0.25], [1, 1], integer=False)
    solution = solvers.solve(program, solver)
    assert solution.objective == pytest.approx(0.25)
    assert solution.status == "optimal"
    assert solution.gap <= 1e-9


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_wide_gap_is_reached_before_the_proof(solver):
    program = knapsack(variables=40, rows=15)
    solution = solvers.solve(program, solver, gap=0.5)
    assert solution.gap <= 0.5
    assert solution.status in ("gap_reached", "optimal")


def test_gurobi_names_the_limit_that_was_hit_and_who_would_do():
    if gurobi.licence()[0] == "full":
        pytest.skip("the Gurobi licence here has no size limit")
    large = solvers.MixedIntegerProgram(
        objective=np.ones(2500),
        rows=scipy.sparse.csr_array((1, 2500)),
        row_lower=[0.0],
        row_upper=[1.0],
        lower=np.zeros(2500),
        upper=np.ones(2500),
        integer=np.ones(2500, bool),
    )
    with pytest.raises(ValueError, match=r"2500 variables \(limit 2000\).*highs"):
        solvers.solve(large, "gurobi")


class FakeError:
    def __init__(self, errno):
        self.errno = errno

    def __str__(self):
        return "no licence file"


def test_gurobi_explains_rows_quadratic_parts_and_other_failures():
    two_sided = knapsack()
    assert "two sides" in gurobi_licence.explain(two_sided, FakeError(10010))
    rows = tiny([0, 0], [1, 1], [0, 0], [1, 1])
    object.__setattr__(rows, "rows", scipy.sparse.csr_array((2001, 2)))
    assert "2001 rows (limit 2000)" in gurobi_licence.explain(rows, FakeError(10010))
    assert "no licence file" in gurobi_licence.explain(rows, FakeError(10009))


def test_the_table_names_every_solver_its_version_and_licence():
    table = {info.name: info for info in solvers.available()}
    assert set(table) == {*SOLVERS, "exact"}
    assert table["highs"].licence == "full"
    assert table["highs"].version
    assert table["gurobi"].licence in ("full", "limited", "missing")
    assert "quadratic" in table["gurobi"].takes


@pytest.mark.parametrize(
    ("solver", "words"),
    [
        ("highs", "package highspy, which is not installed: pip install highspy"),
        ("exact", r'pip install "qpm-jax\[exact\]" \(its licence is AGPL-3.0\)'),
    ],
)
def test_a_missing_solver_is_listed_and_asked_for_by_its_package(
    monkeypatch, solver, words
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    listed = {info.name: info for info in solvers.available()}[solver]
    assert (listed.licence, listed.version) == ("missing", "")
    assert listed.note.startswith("pip install")
    with pytest.raises(ValueError, match=words):
        solvers.solve(knapsack(), solver, time_limit=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solver": "cplex"}, "choose one of highs, scip, gurobi, exact"),
        ({"time_limit": -1.0}, "time_limit is -1.0"),
        ({"time_limit": float("nan")}, "time_limit is nan"),
        ({"gap": -0.1}, "gap is -0.1"),
        ({"threads": 0}, "threads is 0"),
        ({"warm_start": np.zeros(3)}, "warm_start has shape"),
        ({"warm_start": np.full(12, 2.0)}, "warm_start breaks"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        solvers.solve(knapsack(), **arguments)


def test_a_part_the_solver_lacks_names_those_that_take_it():
    program = knapsack()
    object.__setattr__(program, "quadratic", scipy.sparse.eye_array(12))
    with pytest.raises(ValueError, match="choose scip or gurobi"):
        solvers.solve(program, "highs")


def test_an_answer_that_breaks_the_program_is_not_passed_on():
    program = knapsack()
    with pytest.raises(RuntimeError, match="break the program"):
        make_solution(program, RawAnswer(np.full(12, 0.5), np.inf, "optimal"), 0, "x")


def test_rounding_keeps_a_solution_that_is_integral_within_tolerance():
    program = knapsack()
    almost = np.zeros(12)
    almost[0] = 1 - 1e-7
    bound = program.objective @ almost
    solution = make_solution(program, RawAnswer(almost, bound, "optimal"), 0.0, "x")
    assert solution.values[0] == 1.0
    assert solution.bound == solution.objective
    assert evaluate(program, solution.values)[1] == 0.0


def test_a_bound_on_the_wrong_side_is_an_error_and_not_passed_on():
    program = knapsack()
    one = np.zeros(12)
    one[0] = 1.0
    with pytest.raises(RuntimeError, match="its bound is wrong"):
        make_solution(program, RawAnswer(one, 0.5, "optimal"), 0.0, "x")
    empty = make_solution(program, RawAnswer(None, 0.5, "time_limit"), 0.0, "x")
    start = make_solution(program, RawAnswer(one, np.inf, "stalled"), 0.0, "x")
    with pytest.raises(RuntimeError, match="its bound is wrong"):
        better(program, empty, start)


@pytest.mark.parametrize("solver", [*SOLVERS, "exact"])
def test_priorities_of_branching_change_no_optimum(solver):
    if solver == "exact":
        pytest.importorskip("exact", reason="needs the package exact")
    program = knapsack(variables=20)
    if solver == "exact":
        program = replace(program, objective=np.round(program.objective))
    first = replace(program, branch_priority=np.arange(20))
    found = [solvers.solve(p, solver, threads=1).objective for p in (program, first)]
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_gurobi_is_told_the_priorities_of_branching():
    gurobipy = pytest.importorskip("gurobipy", reason="needs the package gurobipy")
    program = replace(knapsack(), branch_priority=np.arange(12))
    model = gurobipy.Model(env=gurobi._environment())
    variables = gurobi.build(model, program)
    model.update()
    assert variables.BranchPriority.tolist() == list(range(12))


def test_scip_is_told_the_priorities_of_branching():
    import pyscipopt

    from qpm_jax.solvers import scip

    program = knapsack(variables=12)
    priorities = np.zeros(12, int)
    priorities[[3, 5]] = 1, 2
    told = {}
    model = pyscipopt.Model()
    change = model.chgVarBranchPriority

    class Noting:
        def __getattr__(self, name):
            return getattr(model, name)

        def chgVarBranchPriority(self, variable, priority):
            told[variable.name] = priority
            change(variable, priority)

    variables = scip.build(Noting(), replace(program, branch_priority=priorities))
    assert told == {variables[3].name: 1, variables[5].name: 2}

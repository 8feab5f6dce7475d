"""Exact in a process of its own: what it is told, what is made of its news, its end."""

import importlib.util
import io
import itertools
import pickle
import subprocess
import sys
import time
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import solvers
from qpm_jax.solvers import exact, exact_process
from qpm_jax.solvers.options import Options
from qpm_jax.solvers.solution import evaluate

needs_exact = pytest.mark.skipif(
    importlib.util.find_spec("exact") is None,
    reason="needs the package exact (pip install 'qpm-jax[exact]')",
)
LONG = 600.0


def program(**changes):
    """Take at least two of three things, the third for 1.5; the best is −0.5 + 1."""
    fields = {
        "objective": [1, -0.5, 1.5],
        "rows": np.array([[1.0, 1, 1], [1, -1, 0]]),
        "row_lower": [2, -np.inf],
        "row_upper": [np.inf, 1],
        "lower": [0, 0, 0],
        "upper": [1, 1, 1],
        "integer": [True] * 3,
    }
    return solvers.MixedIntegerProgram(**(fields | changes))


def turned_round(of):
    """The same program, maximised."""
    return solvers.MixedIntegerProgram(
        **{**vars(of), "objective": -of.objective, "maximise": True}
    )


def options(start=None, seed=0):
    return Options(time.perf_counter() + LONG, 0.0, None, seed, start, None)


def message(start=None, seed=0):
    return exact._message(exact._whole(program())[0], options(start, seed))


class StandIn:
    """Says what Exact would: nothing at first, then the optimum."""

    def __init__(self, options):
        self.options = options
        self.states = iter(["TIMEOUT", "TIMEOUT", "UNSAT"])
        self.names, self.rows, self.ready = [], [], False

    def addVariable(self, name, low, high):
        self.names.append(name)

    def addConstraint(self, *row):
        self.rows.append(row)

    def setObjective(self, terms, minimise, offset):
        self.terms = terms

    def setSolutionHints(self, hints):
        self.hints = hints

    def runFull(self, optimise, seconds):
        state = next(self.states)
        self.ready = state == "UNSAT" or self.ready
        return state

    def hasSolution(self):
        return self.ready

    def getLastSolutionFor(self, names):
        return [1, 1, 0]

    def getDualBound(self):
        return 1


def test_the_process_tells_of_every_slice_and_ends_with_the_proof(monkeypatch):
    monkeypatch.setitem(sys.modules, "exact", types.SimpleNamespace(Exact=StandIn))
    target = io.BytesIO()
    exact_process.main(io.BytesIO(pickle.dumps(message())), target)
    target.seek(0)
    news = [pickle.load(target) for _ in range(3)]
    assert not target.read()
    assert [piece["status"] for piece in news] == [
        "time_limit",
        "time_limit",
        "optimal",
    ]
    assert news[0]["values"] is None
    assert news[-1] == {"status": "optimal", "values": [1, 1, 0], "bound": 1}


def test_the_process_hands_over_rows_sides_and_known_hints():
    solver = StandIn([])
    names = exact_process.build(solver, message(np.array([0.0, np.nan, 1 - 1e-7])))
    assert names == solver.names == ["x0", "x1", "x2"]
    assert solver.rows[0] == ([(1, "x0"), (1, "x1"), (1, "x2")], True, 2, False, 0)
    assert solver.rows[1] == ([(1, "x0"), (-1, "x1")], False, 0, True, 1)
    assert solver.terms == [(2, "x0"), (-1, "x1"), (3, "x2")]
    assert solver.hints == [("x0", 0), ("x2", 1)]


@pytest.mark.parametrize(
    ("seed", "told"), [(0, 1), (7, 8), (2**31, 2), (-1, 2**31 - 1)]
)
def test_a_seed_is_one_that_exact_has_and_0_is_its_own(seed, told):
    assert message(seed=seed)["seed"] == told


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """Returns a function: news a process tells instead of Exact's, and how it ends."""
    (tmp_path / "exact.py").touch()  # a package of this name is there
    monkeypatch.syspath_prepend(tmp_path)

    def use(*news, ending="import time; time.sleep(60)"):
        script = tmp_path / "process.py"
        script.write_text(
            "import pickle, sys\nsys.stdin.buffer.read()\n"
            f"for piece in {news!r}:\n"
            "    pickle.dump(piece, sys.stdout.buffer)\n"
            "sys.stdout.flush()\n" + ending
        )
        monkeypatch.setattr(exact, "_PROCESS", script)

    return use


def said(status, values, bound):
    return {"status": status, "values": values, "bound": bound}


def solve(some=None, time_limit=LONG, **more):
    return solvers.solve(some or program(), "exact", time_limit, **more)


def test_news_become_a_checked_solution_with_the_objective_s_own_size(scripted):
    scripted(said("time_limit", [1, 0, 1], -9), said("optimal", [1, 1, 0], 1))
    told = []
    found = solve(progress=lambda *news: told.append(news))
    assert found.values.tolist() == [1, 1, 0]
    assert (found.objective, found.bound, found.status) == (0.5, 0.5, "optimal")
    assert found.solver == "exact"
    assert [news[:2] for news in told] == [(2.5, -4.5), (0.5, 0.5)]


def test_a_maximised_program_is_told_of_in_its_own_sense(scripted):
    scripted(
        said("time_limit", None, None),
        said("time_limit", [1, 0, 1], -9),
        said("optimal", [1, 1, 0], 1),
    )
    told = []
    found = solve(turned_round(program()), progress=lambda *news: told.append(news))
    assert (found.objective, found.bound, found.status) == (-0.5, -0.5, "optimal")
    assert [news[:2] for news in told] == [(-np.inf, np.inf), (-2.5, 4.5), (-0.5, -0.5)]


def test_a_gap_asked_for_ends_the_process(scripted):
    scripted(said("time_limit", [1, 1, 0], 0))
    found = solve(gap=1.0)
    assert (found.status, found.gap) == ("gap_reached", 1.0)


def test_a_bound_that_meets_the_objective_is_a_proof(scripted):
    scripted(said("time_limit", [1, 1, 0], 1))
    assert solve(gap=0.5).status == "optimal"


def test_past_the_time_limit_the_start_comes_back_if_there_is_nothing_better(scripted):
    scripted(said("time_limit", [1, 0, 1], -9))
    found = solve(time_limit=1.0, warm_start=[0, 1, 1])
    assert found.values.tolist() == [0, 1, 1]
    assert (found.objective, found.status) == (1.0, "time_limit")


def test_without_time_no_process_is_started(scripted):
    scripted(ending="raise SystemExit('was started')")
    assert solve(time_limit=0).status == "time_limit"


def test_a_process_that_fails_says_why(scripted):
    scripted(ending="raise SystemExit('out of memory')")
    with pytest.raises(RuntimeError, match="Exact failed: out of memory"):
        solve()


def test_incumbents_are_told_once_each(scripted):
    again = said("time_limit", [1, 0, 1], -5)
    scripted(said("time_limit", [1, 0, 1], -9), again, said("optimal", [1, 1, 0], 1))
    told = []
    assert solve(incumbent=told.append).status == "optimal"
    assert [values.tolist() for values in told] == [[1, 0, 1], [1, 1, 0]]


def test_an_interrupt_over_an_incumbent_keeps_it(scripted):
    def press(values):
        raise KeyboardInterrupt

    scripted(said("time_limit", [1, 1, 0], -9))
    found = solve(incumbent=press)
    assert (found.objective, found.status) == (0.5, "interrupted")


def test_an_interrupt_from_progress_keeps_the_incumbent(scripted):
    def press(*news):
        raise KeyboardInterrupt

    scripted(said("time_limit", [1, 1, 0], -9))
    found = solve(progress=press)
    assert (found.objective, found.status) == (0.5, "interrupted")


def test_what_progress_raises_otherwise_comes_out(scripted):
    def broken(*news):
        raise ZeroDivisionError("from the caller")

    scripted(said("time_limit", [1, 1, 0], -9))
    with pytest.raises(ZeroDivisionError, match="from the caller"):
        solve(progress=broken)


def test_values_that_break_the_program_are_not_passed_on(scripted):
    scripted(said("optimal", [0, 0, 0], 0))
    with pytest.raises(RuntimeError, match="exact returned values that break"):
        solve()


def test_ctrl_c_keeps_the_incumbent(scripted, monkeypatch):
    class Pressed:
        pieces = iter([said("time_limit", [1, 1, 0], -9)])

        def hear(self, seconds):
            for piece in self.pieces:
                return piece
            raise KeyboardInterrupt

    class Process:
        def __init__(self, *arguments):
            pass

        def __enter__(self):
            return Pressed()

        def __exit__(self, *reason):
            pass

    scripted()
    monkeypatch.setattr(exact, "child", Process)
    found = solve()
    assert (found.objective, found.status) == (0.5, "interrupted")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"integer": [True, False, True]}, "variable 1 of the program is continuous"),
        ({"objective": [np.pi, 1, 1]}, "the objective holds 3.14.*fewer digits"),
        ({"rows": [[1, 1, 1], [np.pi, 1, 1]]}, "row 1 holds 3.14.*'highs'"),
        ({"upper": [1, 1, np.inf]}, "variable 2 has 0.0 and inf.*choose highs"),
        ({"lower": [-(2.0**60), 0, 0]}, "2\\*\\*53 at most: variable 0"),
        ({"quadratic": np.eye(3)}, "cannot take the quadratic.*choose scip or gurobi"),
    ],
)
def test_what_exact_cannot_take_is_refused(scripted, changes, words):
    scripted()
    with pytest.raises(ValueError, match=words):
        solve(program(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"row_lower": [0.2, -1], "row_upper": [0.8, 1]},
        {"lower": [0.2, 0, 0], "upper": [0.8, 1, 1]},
    ],
)
def test_a_range_without_a_whole_number_is_infeasible(scripted, changes):
    scripted(ending="raise SystemExit('was started')")
    assert solve(program(**changes)).status == "infeasible"


def test_the_process_finds_the_package_and_not_the_bridge_s_file(monkeypatch, tmp_path):
    (tmp_path / "exact.py").write_text("raise SystemExit('the package was found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="Exact failed: the package was found"):
        solve()


def test_what_a_library_prints_is_no_news():
    code = (
        "import os; from qpm_jax.solvers.exact_process import private_output;"
        "news = private_output(); os.write(1, b'noise'); news.write(b'news')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"news", b"noise")


@needs_exact
def test_the_table_names_exact_its_version_and_licence():
    line = {info.name: info for info in solvers.available()}["exact"]
    assert (line.licence, line.takes) == ("full", ())
    assert line.version
    assert "AGPL-3.0" in line.note


@needs_exact
@pytest.mark.parametrize("start", [None, [0, 1, 1], [np.nan, 1, np.nan]])
def test_exact_finds_the_optimum(start):
    found = solve(warm_start=start, seed=5)
    assert (found.objective, found.bound, found.status) == (0.5, 0.5, "optimal")


@needs_exact
def test_exact_tells_an_infeasible_program():
    found = solve(program(row_lower=[4, -np.inf]))
    assert (found.status, found.found) == ("infeasible", False)


@needs_exact
def test_a_start_feasible_within_our_tolerance_only_proves_nothing():
    barely = program(row_lower=[3 + 4e-6, -np.inf])
    found = solve(barely, warm_start=[1, 1, 1])
    assert (found.status, found.found) == ("stalled", True)


@needs_exact
def test_programs_without_rows_or_variables_are_solved():
    empty = program(rows=np.zeros((0, 3)), row_lower=[], row_upper=[])
    assert solve(empty).values.tolist() == [0, 1, 0]
    none = solvers.MixedIntegerProgram([], np.zeros((1, 0)), [0], [1], [], [], [])
    assert (solve(none).objective, solve(none).status) == (0, "optimal")


def random_program(seed):
    """Ranges of whole numbers, rows of halves, sides between them."""
    random = np.random.default_rng(seed)
    low = random.integers(-2, 1, 4)
    sides = np.sort(random.integers(-9, 10, (2, 3)) / 4, axis=0)
    return solvers.MixedIntegerProgram(
        random.integers(-6, 7, 4) / random.integers(1, 4),
        random.integers(-4, 5, (3, 4)) / 2,
        np.where(random.random(3) < 0.3, -np.inf, sides[0]),
        np.where(random.random(3) < 0.3, np.inf, sides[1]),
        low,
        low + random.integers(0, 4, 4),
        np.ones(4, bool),
        maximise=bool(random.integers(2)),
    )


@needs_exact
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_exact_finds_what_looking_at_every_point_finds(seed):
    some = random_program(seed)
    ranges = zip(some.lower.astype(int), some.upper.astype(int), strict=True)
    points = itertools.product(*(range(low, high + 1) for low, high in ranges))
    worths = [
        objective
        for objective, violation in (evaluate(some, np.array(p, float)) for p in points)
        if violation <= 1e-9
    ]
    found = solve(some)
    if not worths:
        assert found.status == "infeasible"
        return
    best = max(worths) if some.maximise else min(worths)
    assert found.objective == pytest.approx(best)
    assert found.status == "optimal"


def hard(columns=40):
    """Whole numbers to be added up to halves of their sums: out of reach."""
    random = np.random.default_rng(0)
    weights = random.integers(0, 100, (4, columns)).astype(float)
    slack, width = np.eye(4), columns + 8
    half = np.floor(weights.sum(1) / 2)
    return solvers.MixedIntegerProgram(
        np.r_[np.zeros(columns), np.ones(8)],
        np.c_[weights, slack, -slack],
        half,
        half,
        np.zeros(width),
        np.r_[np.ones(columns), np.full(8, 2**12)],
        np.ones(width, bool),
    )


@needs_exact
def test_a_time_limit_is_kept_and_the_result_is_no_worse_than_the_start():
    some = hard()
    start = np.r_[np.zeros(40), some.row_lower, np.zeros(4)]
    found = solve(some, time_limit=2.0, warm_start=start)
    assert found.status == "time_limit"
    assert found.bound <= found.objective <= some.objective @ start


@needs_exact
def test_progress_can_end_the_solve_and_keeps_the_incumbent():
    def enough(objective, bound, seconds):
        if np.isfinite(objective):
            raise KeyboardInterrupt

    found = solve(hard(), progress=enough)
    assert (found.status, found.found) == ("interrupted", True)

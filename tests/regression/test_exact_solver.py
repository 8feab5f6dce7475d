import importlib.util
import io
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.regression import solve_pbo
from qpm_jax.regression.pseudo_boolean import exact_process, exact_solver
from qpm_jax.regression.pseudo_boolean.exact_solver import solve_exact

needs_exact = pytest.mark.skipif(
    importlib.util.find_spec("exact") is None,
    reason="needs the package exact (pip install 'qpm-jax[exact]')",
)


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


class StandIn:
    """Says what Exact would: nothing at first, then the optimum."""

    def __init__(self, options):
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


def message(start=None):
    return exact_solver._message(
        exact_solver.whole_coefficients(program())[0],
        start,
    )


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


def test_the_process_hands_over_rows_sides_and_hints():
    solver = StandIn([])
    start = solvers.solve(program(), "highs")
    names = exact_process.build(solver, message(start))
    assert names == solver.names == ["x0", "x1", "x2"]
    assert solver.rows[0] == ([(1, "x0"), (1, "x1"), (1, "x2")], True, 2, False, 0)
    assert solver.rows[1] == ([(1, "x0"), (-1, "x1")], False, 0, True, 1)
    assert solver.terms == [(2, "x0"), (-1, "x1"), (3, "x2")]
    assert [hint for _, hint in solver.hints] == [1, 1, 0]


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """Returns a function: news a process tells instead of Exact's, and how it ends."""

    def use(*news, ending="import time; time.sleep(60)"):
        script = tmp_path / "process.py"
        script.write_text(
            "import pickle, sys\nsys.stdin.buffer.read()\n"
            f"for piece in {news!r}:\n"
            "    pickle.dump(piece, sys.stdout.buffer)\n"
            "sys.stdout.flush()\n" + ending
        )
        monkeypatch.setattr(exact_solver, "_PROCESS", script)
        monkeypatch.setattr(exact_solver, "check_installed", lambda: None)

    return use


def said(status, values, bound):
    return {"status": status, "values": values, "bound": bound}


def test_news_become_a_checked_solution_with_the_objective_s_own_size(scripted):
    scripted(said("time_limit", [1, 0, 1], -9), said("optimal", [1, 1, 0], 1))
    told = []
    found = solve_exact(program(), 30, progress=lambda *news: told.append(news))
    assert found.values.tolist() == [1, 1, 0]
    assert (found.objective, found.bound, found.status) == (0.5, 0.5, "optimal")
    assert [news[:2] for news in told] == [(2.5, -4.5)]


def test_a_gap_asked_for_ends_the_process(scripted):
    scripted(said("time_limit", [1, 1, 0], 0))
    found = solve_exact(program(), 30, gap=1.0)
    assert (found.status, found.gap) == ("gap_reached", 1.0)


def test_past_the_time_limit_the_start_comes_back_if_there_is_nothing_better(scripted):
    scripted(said("time_limit", [1, 0, 1], -9))
    found = solve_exact(program(), 1.0, warm_start=np.array([0, 1, 1]))
    assert found.values.tolist() == [0, 1, 1]
    assert (found.objective, found.status) == (1.0, "time_limit")


def test_without_time_no_process_is_started():
    if importlib.util.find_spec("exact") is None:
        pytest.skip("needs the package exact")
    assert solve_exact(program(), 0).status == "time_limit"


def test_a_process_that_fails_says_why(scripted):
    scripted(ending="raise SystemExit('out of memory')")
    with pytest.raises(RuntimeError, match="Exact failed: out of memory"):
        solve_exact(program(), 30)


def test_an_interrupt_from_progress_keeps_the_incumbent(scripted):
    def press(*news):
        raise KeyboardInterrupt

    scripted(said("time_limit", [1, 1, 0], -9))
    found = solve_exact(program(), 30, progress=press)
    assert (found.objective, found.status) == (0.5, "interrupted")


def test_what_exact_cannot_take_is_refused(scripted):
    scripted()
    with pytest.raises(ValueError, match="must be minimised"):
        solve_exact(program(maximise=True))
    with pytest.raises(ValueError, match="without finite bounds"):
        solve_exact(program(upper=[1, 1, np.inf]))


def test_where_the_package_is_missing_the_error_says_how_to_install_it(
    monkeypatch, make_problem
):
    monkeypatch.setattr(exact_solver.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "qpm-jax\[exact\]"'):
        solve_pbo(make_problem(0), "exact")


@needs_exact
@pytest.mark.parametrize("start", [None, np.array([0.0, 1, 1])])
def test_exact_finds_the_optimum(start):
    found = solve_exact(program(), 30, warm_start=start)
    assert (found.objective, found.bound, found.status) == (0.5, 0.5, "optimal")


def test_what_a_library_prints_is_no_news():
    code = (
        "import os; from qpm_jax.regression.pseudo_boolean.exact_process "
        "import private_output;"
        "news = private_output(); os.write(1, b'noise'); news.write(b'news')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"news", b"noise")


@needs_exact
def test_exact_tells_an_infeasible_program():
    none = program(row_lower=[4, -np.inf])
    assert solve_exact(none, 30).status == "infeasible"


@needs_exact
@pytest.mark.parametrize("seed", range(2))
def test_exact_agrees_with_trying_everything(make_problem, brute_force, seed):
    small = make_problem(seed, instances=5, features=1)
    found = solve_pbo(small, "exact", 30)
    assert found.objective == found.bound == brute_force(small)

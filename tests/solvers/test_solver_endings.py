"""How a solve ends: proven, out of time, interrupted, infeasible or unbounded."""

import dataclasses
import gc
import importlib
import subprocess
import sys
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.solvers.listening import run_interruptibly
from qpm_jax.solvers.solution import evaluate

SOLVERS = ("highs", "scip", "gurobi")
INF = np.inf


def program(objective, rows, low, high, lower, upper, integer, maximise=True):
    return solvers.MixedIntegerProgram(
        objective, rows, low, high, lower, upper, integer, maximise=maximise
    )


def market_split(rows=4, columns=30):
    """Small, and far out of reach of branch and bound."""
    random = np.random.default_rng(0)
    weights = random.integers(0, 100, (rows, columns)).astype(float)
    half = np.floor(weights.sum(1) / 2)
    slack = np.eye(rows)
    width = columns + 2 * rows
    return program(
        np.r_[np.zeros(columns), np.ones(2 * rows)],
        np.c_[weights, slack, -slack],
        half,
        half,
        np.zeros(width),
        np.r_[np.ones(columns), np.full(2 * rows, INF)],
        np.arange(width) < columns,
        maximise=False,
    )


def knapsack(columns=40):
    random = np.random.default_rng(0)
    weights = random.integers(1, 20, (5, columns)).astype(float)
    return program(
        random.uniform(1, 10, columns),
        weights,
        np.full(5, -INF),
        weights.sum(1) / 3,
        np.zeros(columns),
        np.ones(columns),
        np.ones(columns, bool),
    )


INFEASIBLE = {
    "linear": program([1, 1], [[1, 1]], [3], [4], [0, 0], [1, 1], [0, 0]),
    "linear with a ray": program(
        [1, 1, 1], [[1, 1, 0]], [3], [4], [0] * 3, [1, 1, INF], [0] * 3
    ),
    "odd sum of even numbers, with a ray": program(
        [1, 1, 1], [[2, 2, 0]], [3], [3], [0] * 3, [9, 9, INF], [1, 1, 0]
    ),
    "odd difference of even numbers along a ray": program(
        [1, 1, 0], [[2, -2, 0]], [1], [1], [0] * 3, [INF, INF, 1], [1] * 3
    ),
}
UNBOUNDED = {
    "linear": program([1, 1], [[1, -1]], [0], [0], [0, 0], [INF, INF], [0, 0]),
    "without rows": program(
        [1, 1], np.zeros((0, 2)), [], [], [-INF, 0], [1, 1], [0, 0], maximise=False
    ),
    "integer": program([1, 1], [[1, -1]], [0], [0], [0, 0], [INF, INF], [1, 1]),
    "integer, minimised": program(
        [1, 1, 0],
        [[1, -1, 1]],
        [0],
        [1],
        [-INF, -INF, 0],
        [INF, INF, 1],
        [1] * 3,
        maximise=False,
    ),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("case", INFEASIBLE)
def test_an_infeasible_program_says_so_and_not_that_it_is_unbounded(solver, case):
    solution = solvers.solve(INFEASIBLE[case], solver, time_limit=20)
    assert solution.status == "infeasible"
    assert not solution.found
    assert np.isnan(solution.values).all()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("case", UNBOUNDED)
def test_an_unbounded_program_says_so_and_not_that_it_is_infeasible(solver, case):
    solution = solvers.solve(UNBOUNDED[case], solver, time_limit=20)
    assert solution.status == "unbounded"
    assert np.isinf(solution.bound)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_unbounded_program_keeps_its_start(solver):
    solution = solvers.solve(UNBOUNDED["integer"], solver, warm_start=[2.0, 2.0])
    assert solution.status == "unbounded"
    assert solution.objective >= 4


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_start_feasible_within_our_tolerance_only_proves_nothing(solver):
    barely = program([1, 0], [[1, 1]], [2 + 4e-6], [3], [0, 0], [1, 1], [0, 0])
    solution = solvers.solve(barely, solver, warm_start=[1.0, 1.0])
    assert solution.found
    assert solution.status in ("stalled", "optimal")


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_time_limit_of_zero_returns_at_once_with_the_start_if_any(solver):
    start = np.zeros(40)
    start[0] = 1.0
    kept = solvers.solve(knapsack(), solver, time_limit=0, warm_start=start)
    assert kept.values.tolist() == start.tolist()
    assert (kept.status, kept.bound) == ("time_limit", INF)
    assert kept.seconds < 0.5
    assert not solvers.solve(knapsack(), solver, time_limit=0).found


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_time_limit_is_kept(solver):
    solution = solvers.solve(market_split(), solver, time_limit=0.5)
    assert solution.status == "time_limit"
    assert solution.seconds < 3
    assert solution.bound <= solution.objective


@pytest.mark.parametrize("solver", SOLVERS)
def test_progress_tells_of_incumbents_and_of_time_between_them(solver):
    heard = []

    def listen(*told):
        heard.append(told)
        # A live line moves: there is news also without incumbents.
        if len(heard) >= 6 and len(heard) > len({objective for objective, *_ in heard}):
            raise KeyboardInterrupt

    found = solvers.solve(
        market_split(), solver, time_limit=60.0, threads=1, progress=listen
    )
    assert found.status == "interrupted"
    objective, bound, seconds = np.array(heard).T
    assert (np.diff(seconds) >= 0).all()
    assert (bound <= objective + 1e-6).all()
    assert not (np.isfinite(bound) & (np.abs(bound) >= 1e20)).any()


@pytest.mark.parametrize("solver", SOLVERS)
def test_progress_can_end_the_solve_and_keeps_the_incumbent(solver):
    def enough(objective, bound, seconds):
        if np.isfinite(objective):
            raise KeyboardInterrupt

    solution = solvers.solve(market_split(), solver, time_limit=20, progress=enough)
    assert solution.status == "interrupted"
    assert solution.found
    assert solution.seconds < 10


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_progress_raises_otherwise_comes_out(solver):
    def broken(objective, bound, seconds):
        raise ZeroDivisionError("from the caller")

    with pytest.raises(ZeroDivisionError, match="from the caller"):
        solvers.solve(market_split(), solver, time_limit=20, progress=broken)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("quadratic", [False, True])
def test_incumbents_are_told_as_they_are_found(solver, quadratic):
    told = []
    asked = knapsack()
    if quadratic and solver != "highs":
        asked = dataclasses.replace(asked, quadratic=-0.1 * np.eye(40))
    found = solvers.solve(asked, solver, time_limit=600, incumbent=told.append)
    assert found.status == "optimal"
    objectives, violations = zip(*(evaluate(asked, each) for each in told), strict=True)
    assert max(violations) < 1e-5
    assert max(objectives) == pytest.approx(found.objective)


@pytest.mark.parametrize("solver", SOLVERS)
def test_who_hears_of_incumbents_can_end_the_solve(solver):
    def enough(values):
        raise KeyboardInterrupt

    solution = solvers.solve(market_split(), solver, time_limit=600, incumbent=enough)
    assert solution.status == "interrupted"
    assert solution.found


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_raised_over_an_incumbent_comes_out(solver):
    def broken(values):
        raise ZeroDivisionError("from the caller")

    with pytest.raises(ZeroDivisionError, match="from the caller"):
        solvers.solve(market_split(), solver, time_limit=600, incumbent=broken)


# Handed the tests' own module as a file: tests are not packages.
THESE_TESTS = """
import importlib.util, os, signal, sys, threading
specification = importlib.util.spec_from_file_location("endings", sys.argv[1])
module = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)
"""
SIGINT = """
press = lambda: os.kill(os.getpid(), signal.SIGINT)
timer = threading.Timer(1.0, press)
timer.start()
solution = module.solvers.solve(module.market_split(), sys.argv[2], time_limit=30)
print(solution.status, solution.found, solution.seconds < 10)
"""


def last_line(script, solver):
    """What a process of its own prints last."""
    done = subprocess.run(
        [sys.executable, "-c", THESE_TESTS + script, __file__, solver],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_ends_the_solve_and_keeps_the_incumbent(solver):
    assert last_line(SIGINT, solver) == "interrupted True True"


ALARM = """
def ring(*_):
    raise TimeoutError("the caller's")
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 1.0)
try:
    module.solvers.solve(module.market_split(), sys.argv[2], time_limit=30)
except TimeoutError as error:
    print("caught", error)
"""


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_a_signals_handler_raises_comes_out_once_the_solver_has_ended(solver):
    assert last_line(ALARM, solver) == "caught the caller's"


def test_ctrl_c_while_the_model_is_built_returns_the_start(monkeypatch):
    def pressed(program, options):
        raise KeyboardInterrupt

    monkeypatch.setattr("qpm_jax.solvers.highs.run", pressed)
    solution = solvers.solve(knapsack(), "highs", warm_start=np.zeros(40))
    assert (solution.status, solution.objective) == ("interrupted", 0.0)


class PressedOnce(threading.Event):
    """Ctrl-C comes while this is first waited for."""

    def wait(self, timeout=None):
        if not vars(self).setdefault("pressed", False):
            self.pressed = True
            raise KeyboardInterrupt
        return super().wait(timeout)


def test_ctrl_c_is_told_also_where_the_work_ended_before_it_heard(monkeypatch):
    assert not run_interruptibly(lambda: None, lambda: None)
    begun = threading.Event()
    patched = SimpleNamespace(Event=PressedOnce, Thread=threading.Thread)
    monkeypatch.setattr("qpm_jax.solvers.listening.threading", patched)
    assert run_interruptibly(begun.wait, begun.set)


class PressedAtStart(threading.Thread):
    """Ctrl-C comes when the thread has been started."""

    def start(self):
        super().start()
        raise KeyboardInterrupt


class PressedBeforeStart(threading.Thread):
    """Ctrl-C comes before the thread has been started."""

    def start(self):
        raise KeyboardInterrupt


def test_ctrl_c_while_the_thread_starts_waits_for_the_work(monkeypatch):
    stop, finished = threading.Event(), []

    def work():
        stop.wait()
        finished.append(True)

    patched = SimpleNamespace(Event=threading.Event, Thread=PressedAtStart)
    monkeypatch.setattr("qpm_jax.solvers.listening.threading", patched)
    try:
        pressed = run_interruptibly(work, stop.set)
    except KeyboardInterrupt:  # the work had not begun, and never will
        assert not finished
    else:
        assert pressed
        assert finished


def test_ctrl_c_before_the_thread_starts_comes_out(monkeypatch):
    patched = SimpleNamespace(Event=threading.Event, Thread=PressedBeforeStart)
    monkeypatch.setattr("qpm_jax.solvers.listening.threading", patched)
    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(lambda: None, lambda: None)


def test_ctrl_c_in_the_last_moment_of_a_linear_program_is_heard(monkeypatch):
    def solved(work, interrupt):
        work()
        return True

    monkeypatch.setattr("qpm_jax.solvers.highs.run_interruptibly", solved)
    linear = program([1], [[1]], [0], [3], [0], [INF], [False])
    assert solvers.solve(linear, "highs").status == "interrupted"


def test_what_fails_in_the_solvers_thread_comes_out():
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_interruptibly(fails, lambda: None)


@pytest.mark.parametrize(
    ("solver", "package", "name"),
    [("highs", "highspy", "Highs"), ("scip", "pyscipopt", "Model")],
)
@pytest.mark.parametrize(
    "heard",
    [{}, {"progress": lambda *news: None}, {"incumbent": lambda values: None}],
    ids=["nothing", "progress", "incumbents"],
)
def test_memory_is_given_back_with_the_answer(
    solver, package, name, heard, monkeypatch
):
    module, made = importlib.import_module(package), []

    class Watched(getattr(module, name)):
        def __init__(self):
            super().__init__()
            made.append(weakref.ref(self))

    monkeypatch.setattr(module, name, Watched)
    gc.disable()
    try:
        solvers.solve(knapsack(), solver, **heard)
    finally:
        gc.enable()
    assert [each() for each in made] == [None]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("known", [0.9, 0.3, 0.0])
def test_a_start_with_unknown_entries_is_taken_and_changes_no_optimum(solver, known):
    best = solvers.solve(knapsack(), "highs")
    start = best.values.copy()
    start[np.random.default_rng(1).random(40) >= known] = np.nan
    solution = solvers.solve(knapsack(), solver, warm_start=start)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(best.objective)


@pytest.mark.parametrize("solver", SOLVERS)
def test_known_entries_that_cannot_be_completed_are_dropped(solver):
    start = np.full(40, np.nan)
    start[:30] = 1.0
    solution = solvers.solve(knapsack(), solver, warm_start=start)
    assert solution.status == "optimal"


@pytest.mark.parametrize(
    ("entry", "message"), [(2.0, "entry 3 is 2.0"), (0.5, "not whole")]
)
def test_a_known_entry_out_of_its_range_is_refused(entry, message):
    start = np.full(40, np.nan)
    start[3] = entry
    with pytest.raises(ValueError, match=message):
        solvers.solve(knapsack(), warm_start=start)

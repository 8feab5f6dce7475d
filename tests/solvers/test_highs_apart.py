"""HiGHS in a process of its own: the same answers, and an end in time."""

import contextlib
import io
import pickle
import time
from types import SimpleNamespace

import numpy as np
import pytest

from qpm_jax import solvers
from qpm_jax.solvers import highs, highs_apart, highs_process
from qpm_jax.solvers.highs_apart import run_apart
from qpm_jax.solvers.options import Options


def knapsack(columns=30):
    random = np.random.default_rng(0)
    weights = random.integers(1, 20, (5, columns)).astype(float)
    return solvers.MixedIntegerProgram(
        random.uniform(1, 10, columns),
        weights,
        np.full(5, -np.inf),
        weights.sum(1) / 3,
        np.zeros(columns),
        np.ones(columns),
        np.ones(columns, bool),
        maximise=True,
    )


def options(seconds=60.0, listener=None, keeper=None):
    ends = time.perf_counter() + seconds
    return Options(ends, 0.0, 1, 0, None, listener, keeper)


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setattr(highs, "_LARGE", 0)


def test_a_large_program_has_the_same_optimum(apart, monkeypatch):
    found = solvers.solve(knapsack(), "highs", time_limit=60)
    monkeypatch.setattr(highs, "_LARGE", 10**9)
    here = solvers.solve(knapsack(), "highs", time_limit=60)
    assert found.status == here.status == "optimal"
    assert found.objective == pytest.approx(here.objective)


def test_incumbents_of_the_process_are_passed_on(apart):
    told = []
    found = solvers.solve(knapsack(), "highs", time_limit=600, incumbent=told.append)
    assert np.allclose(told[-1], found.values, atol=1e-6)


def test_a_process_that_does_not_listen_is_ended_at_the_limit(apart, monkeypatch):
    # A module that reads the program and then does nothing for a minute.
    program, asked = knapsack(), options(1.0)
    silent = "import sys, time; sys.stdin.buffer.read(1); time.sleep(60)"
    monkeypatch.setattr(highs_apart, "_COMMAND", ("-c", silent))
    answer = run_apart(program, asked)
    assert answer.status == "time_limit"
    assert answer.values is None
    assert time.perf_counter() < asked.deadline + 10


def follow(pieces, listener=None, keeper=None):
    news = iter(pieces)
    return highs_apart._follow(
        lambda _: next(news, None), False, options(0.2, listener, keeper)
    )


def test_the_best_that_was_told_is_the_answer_when_time_is_over():
    values = np.ones(3)
    answer = follow(
        [("news", (np.inf, -1e30)), ("news", (4.0, 2.0)), ("values", values)]
    )
    assert (answer.bound, answer.status) == (2.0, "time_limit")
    assert answer.values is values


def test_a_listener_may_end_it():
    answer = follow([("news", (4.0, 2.0))], listener=lambda *_: True)
    assert (answer.bound, answer.status) == (2.0, "interrupted")


def test_who_keeps_incumbents_may_end_it():
    values = np.ones(3)
    answer = follow([("values", values)], keeper=lambda _: True)
    assert answer.status == "interrupted"
    assert answer.values is values


def test_ctrl_c_keeps_what_was_told():
    def press(objective, bound):
        raise KeyboardInterrupt

    answer = follow([("news", (4.0, 2.0))], listener=press)
    assert (answer.bound, answer.status) == (2.0, "interrupted")


def test_the_process_is_told_when_to_end_and_not_how_long_it_has(monkeypatch):
    sent = []

    @contextlib.contextmanager
    def child(name, command, message):
        sent.extend(message)
        yield SimpleNamespace(hear=lambda _: None)

    monkeypatch.setattr(highs_apart, "child", child)
    clock = SimpleNamespace(time=lambda: 1000.0, perf_counter=time.perf_counter)
    monkeypatch.setattr(highs_apart, "time", clock)
    run_apart(knapsack(), options(60.0))
    assert 1000.0 < sent[2] <= 1060.0


def test_what_the_process_takes_to_start_counts(monkeypatch):
    clock = SimpleNamespace(time=lambda: 1050.0, perf_counter=lambda: 7.0)
    monkeypatch.setattr(highs_process, "time", clock)
    told = []
    monkeypatch.setattr(
        highs, "run_here", lambda program, options: told.append(options)
    )
    source = io.BytesIO(pickle.dumps((knapsack(), options(), 1060.0)))
    highs_process.main(source, io.BytesIO())
    assert told[0].deadline == 7.0 + 10.0


def test_the_process_tells_of_incumbents_and_of_its_answer():
    source, target = io.BytesIO(), io.BytesIO()
    pickle.dump((knapsack(), options(), time.time() + 60.0), source)
    source.seek(0)
    highs_process.main(source, target)
    target.seek(0)
    kinds, last = [], None
    while target.tell() < len(target.getvalue()):
        kind, last = pickle.load(target)
        kinds.append(kind)
    assert kinds[-1] == "answer"
    assert "values" in kinds
    assert last.status == "optimal"

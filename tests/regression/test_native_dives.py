"""Dives round the relaxation; walks go from dive to dive."""

import itertools
import os
import signal
import threading
import time
from dataclasses import replace

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression.native import dive as dives
from qpm_jax.regression.native import model as native_model
from qpm_jax.regression.native import wandering
from qpm_jax.regression.native.dive import dive, round_all
from qpm_jax.regression.native.program import held_cost, warm_relaxation
from qpm_jax.regression.native.relaxation import as_relaxed
from qpm_jax.regression.native.search import open_block
from qpm_jax.regression.native.wandering import Walk, first_dive, one_walk, wander


def zero_model(search):
    return native_model.zero_model(search.problem, search.data)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_dive_gives_whole_weights_in_range_at_their_true_cost(seed, make_search):
    search = make_search(seed)
    order = np.random.default_rng(seed).permutation(3)
    model = dive(search, as_relaxed(zero_model(search)), order, np.inf)
    assert model is not None
    assert (np.abs(model.weights) <= search.data.sizes).all()
    spread = search.data.spread(model.weights)
    assert model.cost == search.problem.objective(spread, model.intercepts)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_dive_is_never_below_the_relaxation_it_begins_with(seed, make_search):
    search = make_search(seed)
    known, order = as_relaxed(zero_model(search)), np.arange(3)
    block = open_block(search, known, order)
    least, _ = held_cost(warm_relaxation(block, search.deadline), block)
    model = dive(search, known, order, np.inf)
    assert model is not None
    assert model.cost >= least - 1e-6


def test_a_dive_of_one_class_leaves_the_others(make_search):
    search = make_search(0)
    before = zero_model(search)
    model = dive(search, as_relaxed(before), np.array([1]), np.inf)
    assert model is not None
    assert (model.weights[[0, 2]] == before.weights[[0, 2]]).all()
    assert model.weights[1].any()


def test_a_dive_above_its_cutoff_is_given_up(make_search):
    search = make_search(0)
    known = as_relaxed(zero_model(search))
    assert dive(search, known, np.arange(3), -np.inf) is None


def test_holding_a_variable_elsewhere_costs_no_less(make_search):
    search = make_search(3)
    block = open_block(search, as_relaxed(zero_model(search)), np.arange(3))
    solver = warm_relaxation(block, search.deadline)
    least, values = held_cost(solver, block)
    held, after = held_cost(solver, block, (0, 1.0 - round(values[0])))
    assert held >= least - 1e-9
    assert after[0] == 1.0 - round(values[0])


def test_what_cannot_be_held_costs_infinity(make_search):
    search = make_search(3)
    block = open_block(search, as_relaxed(zero_model(search)), np.arange(3))
    solver = warm_relaxation(block, deadline=time.perf_counter() - 1.0)
    assert held_cost(solver, block)[0] == np.inf


class Endless:
    """A solver whose run ends when it is asked to, as HiGHS on a large relaxation."""

    def __init__(self):
        self.asked = threading.Event()

    def run(self):
        # HiGHS itself would not hear what comes in the main thread.
        assert threading.current_thread() is not threading.main_thread()
        os.kill(os.getpid(), signal.SIGINT)
        self.asked.wait()

    def cancelSolve(self):
        self.asked.set()

    def getModelStatus(self):
        return highspy.HighsModelStatus.kInterrupt


def test_a_first_relaxation_ends_on_ctrl_c(make_search):
    search = make_search(3)
    block = open_block(search, as_relaxed(zero_model(search)), np.arange(3))
    with pytest.raises(KeyboardInterrupt):
        held_cost(Endless(), block)


def test_the_first_dive_is_of_all_classes(make_search):
    search = make_search(1)
    end = first_dive(search, np.random.default_rng(0))
    assert end is not None
    assert end.weights.any(axis=1).all()


def test_weights_of_common_features_are_rounded_first(monkeypatch, make_search):
    search = make_search(0)
    block = open_block(search, as_relaxed(zero_model(search)), np.arange(3))
    places = np.concatenate([block.positive, block.negative])
    most = np.median(search.data.rarity)
    monkeypatch.setattr(dives, "_RARE", most / search.data.counts.sum())
    rare = (search.data.rarity <= most)[places % len(search.data.sizes)]
    seen, solved = [], dives.held_cost

    def noted(solver, block, held=None):
        if held is not None:
            waiting = block.away(seen[-1]) > 0
            assert not (rare[held[0]] and waiting[~rare].any())
        cost, values = solved(solver, block, held)
        seen.append(values)
        return cost, values

    monkeypatch.setattr(dives, "held_cost", noted)
    assert round_all(block, search, np.arange(3), np.inf) is not None
    assert len(seen) > 2


def test_after_the_deadline_there_is_no_first_dive(make_search):
    search = make_search(1)
    late = replace(search, deadline=time.perf_counter() - 1.0)
    assert first_dive(late, np.random.default_rng(0)) is None


def test_a_walk_ends_when_draws_and_dives_are_for_nothing(monkeypatch, make_search):
    search = make_search(2)
    model = replace(zero_model(search), cost=9.0)
    random = np.random.default_rng(0)
    ends = iter([replace(model, cost=cost) for cost in [8.0, 6.0, 7.0, 6.0]])
    drawn = iter([None, replace(model, cost=7.0), None, None])
    monkeypatch.setattr(wandering, "_STALE_DIVES", 2)
    monkeypatch.setattr(wandering, "_STALE_DRAWS", 2)
    monkeypatch.setattr(wandering, "_TURNS", 2)
    monkeypatch.setattr(wandering, "_dived", lambda *_: next(ends))
    monkeypatch.setattr(wandering, "best_within", lambda *_: (next(drawn), True))
    found = itertools.islice(one_walk(search, model, random), 8)
    draws, dives = [9.0, 7.0, 7.0, 7.0], [7.0, 6.0, 6.0, 6.0]
    assert [each.cost for each in found] == [*draws, *dives]
    monkeypatch.setattr(wandering, "_dived", lambda *_: replace(model, cost=10.0))
    monkeypatch.setattr(wandering, "best_within", lambda *_: (None, True))
    stale = one_walk(search, model, random)
    assert len(list(stale)) == 2 * (2 + 2)


def walked(monkeypatch, search, temperature, costs):
    """The costs where a walk is, and its best ones, after dives that end at `costs`."""
    start = replace(zero_model(search), cost=10.0)
    ends = iter([replace(start, cost=cost) for cost in costs])
    monkeypatch.setattr(wandering, "_TEMPERATURE", temperature)
    monkeypatch.setattr(wandering, "_dived", lambda *_: next(ends))
    walk, random, seen = Walk(start, start), np.random.default_rng(0), []
    for _ in costs:
        walk = wander(search, walk, random)
        seen.append((walk.now.cost, walk.best.cost))
    return seen


def test_a_hot_walk_goes_uphill_and_remembers_its_best(monkeypatch, make_search):
    seen = walked(monkeypatch, make_search(2), 1e9, [8.0, 9.0, 12.0, 7.0])
    assert seen == [(8.0, 8.0), (9.0, 8.0), (12.0, 8.0), (7.0, 7.0)]


def test_a_cold_walk_never_goes_uphill(monkeypatch, make_search):
    seen = walked(monkeypatch, make_search(2), 1e-9, [8.0, 9.0, 8.0, 7.0])
    assert seen == [(8.0, 8.0), (8.0, 8.0), (8.0, 8.0), (7.0, 7.0)]

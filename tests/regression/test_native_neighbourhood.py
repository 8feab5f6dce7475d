"""Better models among drawn weights of all classes, the others held."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression import mip
from qpm_jax.regression.native import neighbourhood, wandering
from qpm_jax.regression.native.neighbourhood import best_within, draw_weights
from qpm_jax.regression.native.wandering import Walk, look_around

SEEDS = st.integers(0, 10**6)


@pytest.fixture
def exact(monkeypatch):
    """Nothing is left out and no tree is cut short."""
    for name in ("_ALLOWANCE", "_CLOSE", "_NODES", "_FRACTIONS"):
        monkeypatch.setattr(neighbourhood, name, 10**6)


def everything(search):
    return np.ones((search.problem.num_classes, len(search.data.sizes)), bool)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("seed", range(8))
def test_with_all_weights_drawn_the_optimum_is_found_and_nothing_beyond(
    seed, make_search, make_random_model
):
    search, random = make_search(seed, 12, 6), np.random.default_rng(seed)
    best = mip.solve(search.problem, "highs", time_limit=30.0)
    assert best.status == "optimal"
    start = make_random_model(search.problem, search.data, seed)
    found, small = best_within(search, start, everything(search), random)
    reached = start if found is None else found
    assert small
    assert reached.cost == best.objective
    again, _ = best_within(search, reached, everything(search), random)
    assert again is None or again.cost == reached.cost


@pytest.mark.parametrize("fractions", [0, 40])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_what_is_found_is_no_dearer_and_differs_in_drawn_weights_alone(
    fractions, seed, make_search, make_random_model
):
    search, random = make_search(seed, instances=20), np.random.default_rng(seed)
    start = make_random_model(search.problem, search.data, seed)
    drawn = draw_weights(search, start, 7, random)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbourhood, "_FRACTIONS", fractions)
        found, _ = best_within(search, start, drawn, random)
    if found is not None:
        assert found.cost <= start.cost
        assert (found.weights == start.weights)[~drawn].all()
        spread = search.data.spread(found.weights)
        assert found.cost == search.problem.objective(spread, found.intercepts)


def test_a_relaxation_with_many_fractions_is_called_large(
    monkeypatch, make_search, make_random_model
):
    search, random = make_search(1, instances=40, features=20), np.random.default_rng(0)
    start = make_random_model(search.problem, search.data, 1)
    assert best_within(search, start, everything(search), random)[1]
    monkeypatch.setattr(neighbourhood, "_FRACTIONS", -1)
    assert not best_within(search, start, everything(search), random)[1]


def test_equals_take_turns(make_search, make_random_model):
    # Two equal columns' worth of freedom: many models cost the same.
    search, random = make_search(5, instances=6, features=12), np.random.default_rng(0)
    model, seen = make_random_model(search.problem, search.data, 5), set()
    for _ in range(12):
        found, _ = best_within(search, model, everything(search), random)
        model = model if found is None else found
        seen.add((model.cost, model.weights.tobytes()))
    least = min(cost for cost, _ in seen)
    assert sum(cost == least for cost, _ in seen) > 1


def test_so_many_weights_are_drawn_as_asked_for_and_can_move(
    make_search, make_random_model
):
    search, random = make_search(0, 12, 6), np.random.default_rng(0)
    model = make_random_model(search.problem, search.data, 0)
    assert draw_weights(search, model, 5, random).sum() == 5
    lower, upper = neighbourhood._ranges(search, model)
    movable = upper > lower
    assert (draw_weights(search, model, 10**6, random) == movable).all()


def test_rare_features_are_drawn_more_often(make_search, make_random_model):
    search, random = make_search(3, 40, 12), np.random.default_rng(0)
    model = make_random_model(search.problem, search.data, 3)
    present = np.count_nonzero(search.data.features, axis=0)
    rare = np.minimum(present, len(search.data.labels) - present)
    counts = sum(draw_weights(search, model, 6, random) for _ in range(300)).sum(0)
    assert counts[rare == rare.min()].mean() > 1.3 * counts[rare == rare.max()].mean()


@pytest.mark.parametrize(("small", "changes"), [(True, 1.06), (False, 0.86)])
def test_more_weights_are_drawn_where_programs_are_small(
    monkeypatch, small, changes, make_search, make_random_model
):
    search, random = make_search(2, features=80), np.random.default_rng(0)
    model = make_random_model(search.problem, search.data, 2)
    monkeypatch.setattr(wandering, "best_within", lambda *_: (None, small))
    walk = look_around(search, Walk(model, model, 100.0), random)
    assert walk.drawn == 100.0 * changes
    assert walk.now is walk.best is model


def test_a_walk_goes_on_from_what_it_found_in_the_neighbourhood(
    make_search, make_random_model
):
    search, random = make_search(4, 20, 10), np.random.default_rng(0)
    model = make_random_model(search.problem, search.data, 4)
    walk = Walk(model, model)
    for _ in range(5):
        walk = look_around(search, walk, random)
    assert walk.best.cost < model.cost
    assert walk.now.cost >= walk.best.cost

import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import training


def test_the_rate_falls_by_the_factor_at_every_stair():
    schedule = training.step_decay(0.5, 10, 0.4, 3)
    rates = [float(schedule(step)) for step in (0, 29, 30, 59, 60)]
    assert rates == pytest.approx([0.5, 0.5, 0.2, 0.2, 0.08])


def test_warm_up_rises_linearly_to_the_full_rate():
    schedule = training.step_decay(1.0, 10, 0.4, 100, warmup_epochs=1.0)
    rates = [float(schedule(step)) for step in range(12)]
    assert rates[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert rates[10:] == [1.0, 1.0]


def test_a_held_rate_is_zero_until_its_step():
    schedule = training.held_until(training.step_decay(0.5, 10, 0.4, 3), 5)
    rates = [float(schedule(step)) for step in (0, 4, 5, 30)]
    assert rates == pytest.approx([0.0, 0.0, 0.5, 0.2])


def test_sgd_is_pytorchs_with_coupled_decay():
    """v <- m v + (g + wd p), p <- p - lr v, by hand over three steps."""
    momentum, decay, rate = 0.9, 0.01, 0.1
    optimiser = training.sgd(lambda step: rate, momentum, decay)
    params = {"backbone": {"w": jnp.array([1.0, -2.0])}}
    state = optimiser.init(params)
    expected, velocity = np.array([1.0, -2.0]), np.zeros(2)
    for step in range(3):
        gradient = np.array([0.5, step])
        updates, state = optimiser.update(
            {"backbone": {"w": jnp.asarray(gradient)}}, state, params
        )
        params = {"backbone": {"w": params["backbone"]["w"] + updates["backbone"]["w"]}}
        velocity = momentum * velocity + gradient + decay * expected
        expected = expected - rate * velocity
    assert params["backbone"]["w"] == pytest.approx(expected, rel=1e-5)


def test_what_is_frozen_stays_and_the_rest_moves():
    optimiser = training.sgd(
        lambda step: 0.1, 0.0, 0.5, lambda step: 1.0, frozen=r"backbone/block0[01]"
    )
    params = {
        "backbone": {f"block{i:02d}": {"w": jnp.ones(1)} for i in range(3)},
        "head": {"kernel": jnp.ones(1)},
    }
    updates, _ = optimiser.update(params, optimiser.init(params), params)
    moved = [float(updates["backbone"][f"block{i:02d}"]["w"][0]) for i in range(3)]
    assert moved == pytest.approx([0.0, 0.0, -0.15])
    assert float(updates["head"]["kernel"][0]) == pytest.approx(-1.5)


def test_freezing_what_does_not_exist_is_refused_with_the_names_there_are():
    optimiser = training.sgd(lambda step: 0.1, 0.9, 0.0, frozen="block")
    with pytest.raises(ValueError, match=r"'block', which matches no.*backbone/stem"):
        optimiser.init({"backbone": {"stem": jnp.ones(1)}})


def test_the_head_may_have_a_rate_of_its_own():
    optimiser = training.sgd(lambda step: 0.1, 0.0, 0.0, lambda step: 1.0)
    params = {"backbone": {"w": jnp.ones(1)}, "head": {"kernel": jnp.ones(1)}}
    updates, _ = optimiser.update(params, optimiser.init(params), params)
    assert float(updates["backbone"]["w"][0]) == pytest.approx(-0.1)
    assert float(updates["head"]["kernel"][0]) == pytest.approx(-1.0)

import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import training


def test_sgd_is_pytorchs_with_coupled_decay():
    """v <- m v + (g + wd p), p <- p - lr v, by hand over three steps."""
    momentum, decay, rate = 0.9, 0.01, 0.1
    optimiser = training.optimiser("sgd", lambda step: rate, momentum, decay)
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
    optimiser = training.optimiser(
        "sgd",
        lambda step: 0.1,
        0.0,
        0.5,
        lambda step: 1.0,
        frozen=r"backbone/block0[01]",
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
    optimiser = training.optimiser("sgd", lambda step: 0.1, 0.9, 0.0, frozen="block")
    with pytest.raises(ValueError, match=r"'block', which matches no.*backbone/stem"):
        optimiser.init({"backbone": {"stem": jnp.ones(1)}})


def test_the_head_may_have_a_rate_of_its_own():
    optimiser = training.optimiser("sgd", lambda step: 0.1, 0.0, 0.0, lambda step: 1.0)
    params = {"backbone": {"w": jnp.ones(1)}, "head": {"kernel": jnp.ones(1)}}
    updates, _ = optimiser.update(params, optimiser.init(params), params)
    assert float(updates["backbone"]["w"][0]) == pytest.approx(-0.1)
    assert float(updates["head"]["kernel"][0]) == pytest.approx(-1.0)


def test_adams_steps_do_not_depend_on_the_size_of_the_gradient():
    optimiser = training.optimiser("adamw", lambda step: 0.1, 0.9, 0.0)
    params = {"backbone": {"w": jnp.ones(2)}}
    gradient = {"backbone": {"w": jnp.array([1e-2, 1e3])}}
    updates, _ = optimiser.update(gradient, optimiser.init(params), params)
    assert updates["backbone"]["w"] == pytest.approx([-0.1, -0.1], rel=1e-4)


def test_an_optimiser_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match="optimizer is 'lion'; it takes sgd, adamw"):
        training.optimiser("lion", lambda step: 0.1, 0.9, 0.0)

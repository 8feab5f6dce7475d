import jax.numpy as jnp
import pytest

from qpm_jax import checkpoints
from qpm_jax.training import finite


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf, -jnp.inf])
def test_one_number_that_is_not_finite_is_found(bad):
    tree = {"a": jnp.ones((2, 3)), "b": [jnp.arange(3), jnp.zeros(())]}
    assert finite.all_finite(tree)
    tree["a"] = tree["a"].at[1, 2].set(bad)
    assert not finite.all_finite(tree)


def test_whole_numbers_are_finite():
    assert finite.all_finite({"step": jnp.int32(3)})


def test_the_first_bad_step_stays():
    good, bad = jnp.ones(2), jnp.array([1.0, jnp.nan])
    noted = jnp.int32(0)
    for step, tree in enumerate([good, bad, good, bad], 1):
        noted = finite.first_bad(noted, jnp.int32(step), tree)
    assert noted == 2


def test_images_in_memory_are_told_by_their_positions_alone(tmp_path):
    with checkpoints.open_manager(tmp_path) as manager:
        error = finite.not_finite(
            "dense",
            3,
            lambda step: iter([{"index": jnp.array([4, 5])}]),
            manager,
            lambda index: [],
        )
    assert "holds the images 4, 5 of the training split. There is no" in str(error)


def test_a_batch_without_positions_is_told_as_one(tmp_path):
    with checkpoints.open_manager(tmp_path) as manager:
        error = finite.not_finite("dense", 3, lambda step: iter([{}]), manager)
    assert "does not say which images" in str(error)

"""Variables for a network without compiling its initialisers, which is slow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest


@pytest.fixture(scope="session")
def random_variables():
    """Returns a function: module, image shape -> variables of small random numbers."""

    def make(module, image_shape):
        image = jax.ShapeDtypeStruct(image_shape, jnp.float32)
        shapes = jax.eval_shape(module.init, jax.random.key(0), image)
        rng = np.random.default_rng(0)

        def fill(path, leaf):
            if path[-1].key in ("scale", "var"):
                return jnp.ones(leaf.shape)
            fan_in = max(1, int(np.prod(leaf.shape[:-1])))
            values = rng.normal(size=leaf.shape, scale=np.sqrt(2 / fan_in))
            return jnp.asarray(values, jnp.float32)

        return jax.tree_util.tree_map_with_path(fill, shapes)

    return make

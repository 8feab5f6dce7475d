"""Networks without long compilations: their variables, and weights by a rule."""

import zlib

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


def by_rule(key, shape):
    """An array that depends on its PyTorch name and shape alone."""
    values = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    if key.endswith("running_var"):
        values = 1 + 0.2 * np.abs(values)
    elif key.endswith(("bias", "running_mean")):
        values = 0.1 * values
    elif key.endswith(("gamma", "layer_scale")):
        values = 0.3 + 0.1 * values
    elif key.endswith(("pos_embed", "cls_token", "bias_table")):
        values = 0.5 * values
    elif len(shape) == 1:
        values = 1 + 0.1 * values
    else:
        values = values / np.sqrt(np.prod(shape[1:]))
    return values.astype(np.float32)


@pytest.fixture(scope="session")
def rule_state():
    """Returns a function: {key: shape} -> {key: array}, a state dict made by a rule."""
    return lambda shapes: {key: by_rule(key, shape) for key, shape in shapes.items()}


@pytest.fixture(scope="session")
def fill_by_rule(rule_state):
    """Returns a function: PyTorch module -> the state dict it was given by the rule."""

    def fill(network):
        import torch

        shapes = {
            key: tuple(tensor.shape)
            for key, tensor in network.state_dict().items()
            if not key.endswith("num_batches_tracked")
        }
        state = rule_state(shapes)
        tensors = {key: torch.tensor(array) for key, array in state.items()}
        network.load_state_dict(tensors, strict=False)
        return state

    return fill


@pytest.fixture(scope="session")
def rule_images():
    """Returns a function: shape -> images, the same for the same shape."""
    return lambda *shape: (
        np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)
    )


@pytest.fixture(scope="session")
def answers():
    """Returns a function: module, variables, images -> outputs, quickly compiled."""

    def run(module, variables, images):
        apply = jax.jit(
            module.apply, compiler_options={"xla_backend_optimization_level": 0}
        )
        return apply(variables, images)

    return run

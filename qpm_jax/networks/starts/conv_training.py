"""Gradient training of a convolutional problem's architecture and loss.

Adam on the objective of docs/networks.md, Convolution, without switches, in batches. In
the second half readout weights are rounded to their family in the forward pass, with
gradients as if they were not (straight-through). Dropout of pooled activations, ours,
is for training alone. Of the rules only signs are kept here.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool

from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import Box, filter_box, readout_box
from qpm_jax.networks.labels import output_signs
from qpm_jax.networks.starts.gradient_training import mean_loss, rounded_through

_Parameters = dict[str, Any]
# The least and the most of every parameter: of the family, a mask and rules' signs.
_Limits = dict[str, tuple[Any, Any]]


class _Setting(NamedTuple):
    """What the compiled training depends on."""

    pooled_shape: tuple[int, int, int]
    window: int
    size: int
    pooling: str
    encoding: str
    step: float
    dropout: float
    batch: int
    epochs: int
    learning_rate: float


def train_conv(
    problem: ConvProblem,
    seed: int = 0,
    steps: int = 1200,
    batch: int = 50,
    learning_rate: float = 0.01,
    dropout: float = 0.0,
    mask: Bool[np.ndarray, "O h w C"] | None = None,
    start: ConvNetwork | None = None,
) -> ConvNetwork:
    """Trains one network.

    Args:
        problem: the problem.
        seed: of random weights and batches.
        steps: at least so many, each on one batch.
        batch: images of a batch.
        learning_rate: of Adam, falling to 0 as a cosine.
        dropout: share of pooled activations left out in each step.
        mask: readout weights that may differ from zero; None for all. With the same
            seed, training starts from the same random weights.
        start: a network to go on from; None for random weights.

    Returns:
        A network within the limits, readout weights not yet in the family.
    """
    batch = min(batch, len(problem.labels))
    setting = _Setting(
        problem.pooled_shape,
        problem.window,
        problem.filter_size,
        problem.pooling,
        problem.label_encoding,
        problem.family.step,
        dropout,
        batch,
        -(-steps // (len(problem.labels) // batch)),
        learning_rate,
    )
    shape = (len(problem.codes[0]), *problem.pooled_shape)
    kept = np.ones(shape, bool) if mask is None else mask
    most = np.float32(problem.weight_limit)
    signs = output_signs(problem.codes)[problem.labels]
    trained = _train(
        jax.random.key(seed),
        _first(problem, seed) if start is None else _parameters(start),
        {
            "filters": _sides(filter_box(problem)),
            "filter_biases": (-most, most),
            "readout": _sides(readout_box(problem), kept.reshape(shape[0], -1)),
            "biases": (-most, most),
        },
        jnp.asarray(problem.images, jnp.float32),
        jnp.asarray(signs, jnp.float32),
        jnp.asarray([problem.l1, problem.l2], jnp.float32),
        setting,
    )
    host: dict[str, np.ndarray] = {
        name: np.asarray(each, np.float64) for name, each in trained.items()
    }
    return problem.network(
        host["filters"].T, host["filter_biases"], host["readout"].T, host["biases"]
    )


@functools.partial(jax.jit, static_argnames="setting")
def _train(
    key: jax.Array,
    first: _Parameters,
    limits: _Limits,
    images: jax.Array,
    signs: jax.Array,
    prices: jax.Array,
    setting: _Setting,
) -> _Parameters:
    number = len(images) // setting.batch
    schedule = optax.cosine_decay_schedule(
        setting.learning_rate, setting.epochs * number
    )
    optimiser = optax.adam(schedule)

    def epoch(state: Any, place: jax.Array) -> Any:
        here = jax.random.fold_in(key, place)
        order = jax.random.permutation(here, len(images))
        batches = order[: number * setting.batch].reshape(number, setting.batch)

        def step(state: Any, chosen: jax.Array) -> Any:
            parameters, memory = state
            data = (images[chosen], signs[chosen], prices)
            noise = jax.random.fold_in(here, chosen[0])
            rounding = place * 2 >= setting.epochs
            slopes = jax.grad(_objective)(parameters, data, noise, rounding, setting)
            updates, memory = optimiser.update(slopes, memory)
            moved: Any = optax.apply_updates(parameters, updates)
            return (_confined(moved, limits), memory), None

        return jax.lax.scan(step, state, batches)

    first = _confined(first, limits)
    state = (first, optimiser.init(first))
    (parameters, _), _ = jax.lax.scan(epoch, state, jnp.arange(setting.epochs))
    return parameters


def _objective(
    parameters: _Parameters,
    data: tuple[jax.Array, jax.Array, jax.Array],
    noise: jax.Array,
    rounding: jax.Array,
    setting: _Setting,
) -> jax.Array:
    images, signs, prices = data
    inputs = _pooled(parameters, images, setting)
    if setting.dropout:
        stays = jax.random.bernoulli(noise, 1 - setting.dropout, inputs.shape)
        inputs = inputs * stays / (1 - setting.dropout)
    readout = rounded_through(parameters["readout"], setting.step, rounding)
    outputs = inputs @ readout + parameters["biases"]
    size = jnp.abs(readout).sum() + jnp.abs(parameters["filters"]).sum()
    square = (readout**2).sum()
    loss = mean_loss(outputs, signs, setting.encoding)
    return loss + prices[0] * size + prices[1] * square


def _pooled(parameters: _Parameters, images: jax.Array, setting: _Setting) -> jax.Array:
    """Pooled activations, flat; the patches of a window's positions lie apart."""
    height, width, _ = setting.pooled_shape
    margin, side = setting.size // 2, setting.window
    padded = jnp.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    rows, columns = images.shape[1:3]
    seen = jnp.concatenate(
        [
            padded[:, u : u + rows, v : v + columns]
            for u in range(setting.size)
            for v in range(setting.size)
        ],
        axis=-1,
    )
    parts = seen.reshape(len(images), height, side, width, side, -1)
    parts = parts.transpose(2, 4, 0, 1, 3, 5).reshape(side * side, -1, seen.shape[-1])
    reached = parts @ parameters["filters"] + parameters["filter_biases"]
    active = jax.nn.relu(reached)
    inside = active.max(0) if setting.pooling == "max" else active.mean(0)
    return inside.reshape(len(images), -1)


def _confined(parameters: _Parameters, limits: _Limits) -> _Parameters:
    """Parameters within their limits."""
    return {name: jnp.clip(each, *limits[name]) for name, each in parameters.items()}


def _sides(box: Box, kept: Any = True) -> tuple[np.ndarray, np.ndarray]:
    """Limits as training has its weights: transposed; zero where a mask is."""
    lower, upper = ((side * kept).T.astype(np.float32) for side in box)
    return lower, upper


def _first(problem: ConvProblem, seed: int) -> _Parameters:
    one, other = jax.random.split(jax.random.key(seed))
    filters = (problem.patch_size, problem.channels)
    outputs, inputs = problem.codes.shape[1], int(np.prod(problem.pooled_shape))
    scale = np.sqrt(2 / problem.patch_size) * problem.weight_limit
    return {
        "filters": scale * jax.random.normal(one, filters),
        "filter_biases": jnp.zeros(problem.channels),
        "readout": 0.02 * jax.random.normal(other, (inputs, outputs)),
        "biases": jnp.zeros(outputs),
    }


def _parameters(network: ConvNetwork) -> _Parameters:
    arrays = {
        "filters": network.filters.reshape(len(network.filters), -1).T,
        "filter_biases": network.filter_biases,
        "readout": network.readout.reshape(len(network.readout), -1).T,
        "biases": network.readout_biases,
    }
    return {name: jnp.asarray(each, jnp.float32) for name, each in arrays.items()}

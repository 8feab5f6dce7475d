"""Gradient training of a problem's architecture and loss, many networks side by side.

Adam on the objective (a) of docs/networks.md without switches, all instances at once.
In the second half deeper weights are rounded to their family in the forward pass, with
gradients as if they were not (straight-through).
"""

import functools
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool

from qpm_jax.networks.labels import output_signs
from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem

_Parameters = list[tuple[Any, Any]]


class _Setting(NamedTuple):
    """What the compiled training depends on."""

    widths: tuple[int, ...]
    encoding: str
    step: float
    limits: tuple[float, ...]
    bias_limit: float
    epochs: int
    learning_rate: float


def train_networks(
    problem: NetworkProblem,
    seed: int = 0,
    restarts: int = 16,
    epochs: int = 1000,
    learning_rate: float = 0.03,
    masks: list[Bool[np.ndarray, "R n m"]] | None = None,
    start: list[ReLUNetwork] | None = None,
) -> list[ReLUNetwork]:
    """Trains networks from random weights.

    Args:
        problem: the problem; switches and rules are not part of training.
        seed: of the random weights.
        restarts: R, networks trained side by side.
        epochs: steps, each on all instances.
        learning_rate: of Adam, falling to 0 as a cosine.
        masks: weights that may differ from zero, one array a layer; None for all. With
            the same seed and restarts, training starts from the same random weights.
        start: R networks to go on from; None for random weights.

    Returns:
        R networks within the limits, deeper weights not yet in the family.
    """
    setting = _Setting(
        problem.widths,
        problem.label_encoding,
        problem.family.step,
        (problem.weight_limit,) + (problem.family.limit,) * len(problem.hidden),
        problem.weight_limit,
        epochs,
        learning_rate,
    )
    if masks is None:
        masks = [
            np.ones((restarts, out, into), bool)
            for into, out in itertools.pairwise(problem.widths)
        ]
    signs = output_signs(problem.codes)[problem.labels]
    trained = _train(
        _first(problem, seed, restarts) if start is None else _stacked(start),
        [jnp.asarray(each, jnp.float32) for each in masks],
        jnp.asarray(problem.features, jnp.float32),
        jnp.asarray(signs, jnp.float32),
        jnp.asarray([problem.l1, problem.l2], jnp.float32),
        setting,
    )
    return _unstacked(trained, restarts)


@functools.partial(jax.jit, static_argnames="setting")
def _train(
    first: _Parameters,
    masks: list[jax.Array],
    features: jax.Array,
    signs: jax.Array,
    prices: jax.Array,
    setting: _Setting,
) -> _Parameters:
    """Trains networks side by side."""
    schedule = optax.cosine_decay_schedule(setting.learning_rate, setting.epochs)
    optimiser = optax.adam(schedule)
    data = (features, signs, prices)

    def train(parameters: _Parameters, kept: list[jax.Array]) -> _Parameters:
        def step(state: tuple[_Parameters, Any], epoch: jax.Array) -> Any:
            parameters, memory = state
            rounding = epoch * 2 >= setting.epochs
            slopes = jax.grad(_objective)(parameters, data, rounding, setting)
            updates, memory = optimiser.update(slopes, memory)
            moved: Any = optax.apply_updates(parameters, updates)
            return (_confined(moved, kept, setting), memory), None

        parameters = _confined(parameters, kept, setting)
        state = (parameters, optimiser.init(parameters))
        (parameters, _), _ = jax.lax.scan(step, state, jnp.arange(setting.epochs))
        return parameters

    return jax.vmap(train)(first, masks)


def _confined(
    parameters: _Parameters, masks: list[jax.Array], setting: _Setting
) -> _Parameters:
    """Parameters within their limits, masked weights zero."""
    most = setting.bias_limit
    return [
        (jnp.clip(weights, -limit, limit) * kept, jnp.clip(biases, -most, most))
        for (weights, biases), limit, kept in zip(
            parameters, setting.limits, masks, strict=True
        )
    ]


def _first(problem: NetworkProblem, seed: int, restarts: int) -> _Parameters:
    """Random weights, scaled for ReLUs."""
    key, parameters = jax.random.key(seed), []
    for into, out in itertools.pairwise(problem.widths):
        key, one, other = jax.random.split(key, 3)
        weights = jax.random.normal(one, (restarts, out, into)) * np.sqrt(2 / into)
        parameters.append((weights, 0.1 * jax.random.normal(other, (restarts, out))))
    return parameters


def _stacked(networks: list[ReLUNetwork]) -> _Parameters:
    return [
        (
            jnp.stack(
                [jnp.asarray(each.weights[layer], jnp.float32) for each in networks]
            ),
            jnp.stack(
                [jnp.asarray(each.biases[layer], jnp.float32) for each in networks]
            ),
        )
        for layer in range(len(networks[0].weights))
    ]


def _unstacked(parameters: _Parameters, restarts: int) -> list[ReLUNetwork]:
    host = [tuple(np.asarray(each, np.float64) for each in pair) for pair in parameters]
    return [
        ReLUNetwork(
            tuple(weights[index] for weights, _ in host),
            tuple(biases[index] for _, biases in host),
        )
        for index in range(restarts)
    ]


def _objective(
    parameters: _Parameters,
    data: tuple[jax.Array, jax.Array, jax.Array],
    rounding: jax.Array,
    setting: _Setting,
) -> jax.Array:
    """Mean loss plus the prices of sizes and squares."""
    passing, signs, prices = data
    size, square = jnp.zeros(()), jnp.zeros(())
    for layer, (weights, biases) in enumerate(parameters):
        step = setting.step if layer else 0.0
        used = rounded_through(weights, step, rounding)
        size += jnp.abs(used).sum()
        square += (used**2).sum()
        passing = passing @ used.T + biases
        if layer < len(parameters) - 1:
            passing = jax.nn.relu(passing)
    return mean_loss(passing, signs, setting.encoding) + (
        prices[0] * size + prices[1] * square
    )


def mean_loss(outputs: jax.Array, signs: jax.Array, encoding: str) -> jax.Array:
    """The mean hinge loss.

    Args:
        outputs: [N, O].
        signs: [N, O], ±1, on which side every output should be.
        encoding: "one_hot" or "binary".
    """
    if encoding == "binary":
        return jax.nn.relu(1.0 - signs * outputs).sum(axis=1).mean()
    own = signs > 0
    rivals = jnp.where(own, -jnp.inf, outputs).max(axis=1)
    lag = 1.0 + rivals - jnp.where(own, outputs, 0.0).sum(axis=1)
    return jax.nn.relu(lag).mean()


def rounded_through(weights: jax.Array, step: float, rounding: jax.Array) -> jax.Array:
    """Weights rounded to a grid, with gradients as if they were not.

    Args:
        weights: any shape.
        step: of the grid; 0 for none.
        rounding: bool, whether to round yet.
    """
    if not step:
        return weights
    whole = jnp.round(weights / step) * step
    near = weights + jax.lax.stop_gradient(whole - weights)
    return jnp.where(rounding, near, weights)

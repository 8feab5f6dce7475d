"""Gradient training of the same architecture and loss: a start for the solver.

Adam on the objective of PAPERS 2.4 (a) without switches, all instances at once, many
restarts side by side. In the second half deeper weights are rounded to their family in
the forward pass, with gradients as if they were not (straight-through). Rounding and
repair (`starts.repaired`) make the result a member of the program's family.
"""

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.starts import repaired

_Parameters = list[tuple[Any, Any]]


def gradient_starts(
    problem: NetworkProblem,
    seed: int = 0,
    restarts: int = 16,
    epochs: int = 1000,
    learning_rate: float = 0.03,
) -> list[ReLUNetwork]:
    """Trains networks from random weights.

    Args:
        problem: the problem; switches and rules are left to the repair.
        seed: of the random weights.
        restarts: networks trained side by side.
        epochs: steps, each on all instances.
        learning_rate: of Adam, falling to 0 as a cosine.

    Returns:
        Repaired networks, best objective first.
    """
    limits = [problem.weight_limit] + [problem.family.limit] * len(problem.hidden)
    setting = (
        problem.label_encoding,
        problem.l1,
        problem.l2,
        problem.family.step,
        tuple(float(each) for each in limits),
        problem.weight_limit,
        epochs,
        learning_rate,
    )
    keys = jax.random.split(jax.random.key(seed), restarts)
    signs = jnp.asarray(2 * problem.codes - problem.codes.max())[problem.labels]
    trained = _train(
        keys,
        jnp.asarray(problem.features, jnp.float32),
        signs.astype(jnp.float32),
        problem.widths,
        setting,
    )
    host = [tuple(np.asarray(each, np.float64) for each in pair) for pair in trained]
    networks = [
        repaired(
            problem,
            ReLUNetwork(
                tuple(weights[index] for weights, _ in host),
                tuple(biases[index] for _, biases in host),
            ),
        )
        for index in range(restarts)
    ]
    return sorted(networks, key=problem.objective)


@functools.partial(jax.jit, static_argnames=("widths", "setting"))
def _train(
    keys: jax.Array,
    features: jax.Array,
    signs: jax.Array,
    widths: tuple[int, ...],
    setting: tuple[Any, ...],
) -> _Parameters:
    """Trains one network for each key."""
    *_, limits, bias_limit, epochs, learning_rate = setting
    schedule = optax.cosine_decay_schedule(learning_rate, epochs)
    optimiser = optax.adam(schedule)

    def step(state: tuple[_Parameters, Any], epoch: jax.Array) -> Any:
        parameters, memory = state
        slopes = jax.grad(_objective)(
            parameters, features, signs, epoch * 2 >= epochs, setting
        )
        updates, memory = optimiser.update(slopes, memory)
        moved: Any = optax.apply_updates(parameters, updates)
        inside = [
            (jnp.clip(w, -limit, limit), jnp.clip(b, -bias_limit, bias_limit))
            for (w, b), limit in zip(moved, limits, strict=True)
        ]
        return (inside, memory), None

    def train(key: jax.Array) -> _Parameters:
        parameters = _initial(key, widths)
        state = (parameters, optimiser.init(parameters))
        (parameters, _), _ = jax.lax.scan(step, state, jnp.arange(epochs))
        return parameters

    return jax.vmap(train)(keys)


def _initial(key: jax.Array, widths: tuple[int, ...]) -> _Parameters:
    parameters = []
    for into, out in itertools.pairwise(widths):
        key, one, other = jax.random.split(key, 3)
        scale = jnp.sqrt(2.0 / into)
        weights = scale * jax.random.normal(one, (out, into))
        parameters.append((weights, 0.1 * jax.random.normal(other, (out,))))
    return parameters


def _objective(
    parameters: _Parameters,
    features: jax.Array,
    signs: jax.Array,
    rounding: jax.Array,
    setting: tuple[Any, ...],
) -> jax.Array:
    encoding, l1, l2, step, *_ = setting
    passing, size, square = features, 0.0, 0.0
    for layer, (weights, biases) in enumerate(parameters):
        used = weights
        if layer and step:
            near = weights + jax.lax.stop_gradient(
                jnp.round(weights / step) * step - weights
            )
            used = jnp.where(rounding, near, weights)
        size += jnp.abs(used).sum()
        square += (used**2).sum()
        passing = passing @ used.T + biases
        if layer < len(parameters) - 1:
            passing = jax.nn.relu(passing)
    if encoding == "one_hot":
        own = signs > 0
        rivals = jnp.where(own, -jnp.inf, passing).max(axis=1)
        lag = 1.0 + rivals - jnp.where(own, passing, 0.0).sum(axis=1)
        loss = jax.nn.relu(lag).mean()
    else:
        loss = jax.nn.relu(1.0 - signs * passing).sum(axis=1).mean()
    return loss + l1 * size + l2 * square

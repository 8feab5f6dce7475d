"""Neurons that gain more than they cost, sought by gradients from many starts."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qpm_jax.networks.bounds.by_neurons.dual_program import (
    Multipliers,
    Neurons,
    activations,
    neuron_prices,
)
from qpm_jax.networks.bounds.by_neurons.output_choices import OutputChoices
from qpm_jax.networks.problem import NetworkProblem

_STARTS = 16
_STEPS = 80
# A part of the way across the weights' range, for the first step.
_FIRST_STEP = 0.25


def gains(
    problem: NetworkProblem,
    choices: OutputChoices,
    multipliers: Multipliers,
    neurons: Neurons,
) -> Float[np.ndarray, " M"]:
    """What neurons gain beyond their prices; above 0 they break the bound.

    Args:
        problem: the problem.
        choices: of output weights.
        multipliers: of losses and of output weights' total.
        neurons: any.

    Returns:
        Σ_i α_i · v ReLU(w · x_i + b) + π ‖v‖₁ − price, exactly evaluated.
    """
    read = multipliers.slopes @ choices.weights[neurons.choice].T
    value = (read * activations(problem, neurons)).sum(axis=0)
    size = multipliers.size_price * choices.sizes[neurons.choice]
    return value + size - neuron_prices(problem, choices, neurons)


def climb(
    problem: NetworkProblem,
    choices: OutputChoices,
    multipliers: Multipliers,
    known: Neurons,
    random: np.random.Generator,
) -> Neurons:
    """The best neuron found for every choice of output weights.

    Args:
        problem: the problem.
        choices: K choices.
        multipliers: of losses and of output weights' total.
        known: neurons some starts are taken from, whatever their output weights.
        random: of the starts.

    Returns:
        K neurons in the order of the choices, which may gain or not.
    """
    slopes = multipliers.slopes @ choices.weights.T
    weights, biases = _starts(problem, len(choices.prices), known, random)
    found, offsets = _climb(
        jnp.asarray(problem.features, jnp.float32),
        jnp.asarray(slopes.T, jnp.float32),
        jnp.asarray(weights, jnp.float32),
        jnp.asarray(biases, jnp.float32),
        jnp.float32(problem.l1),
        jnp.float32(problem.l2),
        jnp.float32(problem.weight_limit),
    )
    limit = problem.weight_limit
    return Neurons(
        np.clip(np.asarray(found, np.float64), -limit, limit),
        np.clip(np.asarray(offsets, np.float64), -limit, limit),
        np.arange(len(choices.prices)),
    )


def _starts(
    problem: NetworkProblem, number: int, known: Neurons, random: np.random.Generator
) -> tuple[Float[np.ndarray, "K S F"], Float[np.ndarray, "K S"]]:
    """Random sparse weights, kinks at instances, and neurons that are known."""
    count, features = problem.features.shape
    shape = (number, _STARTS, features)
    weights = random.normal(size=shape) * (random.random(shape) < 0.5)
    sizes = random.uniform(0.3, 1.0, (number, _STARTS, 1)) * problem.weight_limit
    weights *= sizes / (np.abs(weights).sum(axis=2, keepdims=True) + 1e-9)
    kinks = problem.features[random.integers(count, size=shape[:2])]
    biases = -(weights * kinks).sum(axis=2)
    if len(known.choice):
        half = _STARTS // 2
        taken = random.integers(len(known.choice), size=(number, half))
        weights[:, :half], biases[:, :half] = known.weights[taken], known.biases[taken]
    limit = problem.weight_limit
    return weights, np.clip(biases, -limit, limit)


@jax.jit
def _climb(
    features: Float[Array, "N F"],
    slopes: Float[Array, "K N"],
    weights: Float[Array, "K S F"],
    biases: Float[Array, "K S"],
    l1: Float[Array, ""],
    l2: Float[Array, ""],
    limit: Float[Array, ""],
) -> tuple[Float[Array, "K F"], Float[Array, " K"]]:
    """Proximal gradient ascent; the best point of the best start of each choice."""
    steepest = (jnp.abs(slopes) @ jnp.abs(features)).max()
    first = jnp.minimum(_FIRST_STEP * limit / steepest, 0.5 / (l2 + 1e-6))

    def value(z: Array, w: Array) -> Array:
        gain = jnp.einsum("ksn,kn->ks", jax.nn.relu(z), slopes)
        return gain - l1 * jnp.abs(w).sum(-1) - l2 * (w**2).sum(-1)

    def step(carry: tuple[Array, ...], part: Array) -> tuple[tuple[Array, ...], None]:
        w, b, best, kept_w, kept_b = carry
        z = w @ features.T + b[..., None]
        here = value(z, w)
        better = here > best
        kept_w = jnp.where(better[..., None], w, kept_w)
        kept_b = jnp.where(better, b, kept_b)
        flow = (z > 0) * slopes[:, None, :]
        size = first * part
        w = w + size * (flow @ features)
        w = jnp.sign(w) * jnp.maximum(jnp.abs(w) - size * l1, 0) / (1 + 2 * size * l2)
        w = jnp.clip(w, -limit, limit)
        b = jnp.clip(b + size * flow.sum(-1), -limit, limit)
        return (w, b, jnp.maximum(best, here), kept_w, kept_b), None

    start = (weights, biases, jnp.full(biases.shape, -jnp.inf), weights, biases)
    parts = 1 - jnp.arange(_STEPS) / _STEPS
    (_, _, best, kept_w, kept_b), _ = jax.lax.scan(step, start, parts)
    rows, top = jnp.arange(len(best)), best.argmax(axis=1)
    return kept_w[rows, top], kept_b[rows, top]

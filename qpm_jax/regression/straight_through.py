"""Binarized gradient descent, the baseline: ternary weights by straight-through.

Tule, Le, Say, arXiv 2112.00434, section on experiments: ternary weights, whole
intercepts, Adam with learning rate 0.001, 200 epochs. The quantiser is that of the
library they used (larq, ste_tern): sign(w) where |w| > 0.05, else 0, and the gradient
passed on where |w| ≤ 1.

The paper does not say the rest; here it is: softmax cross-entropy of the scores,
batches of 32 in a new order every epoch (the default of the framework below larq),
latent weights drawn as by Glorot, latent intercepts from 0, rounded in the forward pass
with the gradient passed on.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

_THRESHOLD = 0.05

Latent = dict[str, Array]


def ternary(latent: Float[Array, "..."]) -> Float[Array, "..."]:
    """sign(w) where |w| > 0.05, else 0; the gradient passes where |w| ≤ 1.

    Args:
        latent: float of any shape.
    """
    quantised = jnp.where(jnp.abs(latent) > _THRESHOLD, jnp.sign(latent), 0.0)
    inside = jnp.clip(latent, -1.0, 1.0)
    return inside + jax.lax.stop_gradient(quantised - inside)


def rounded(latent: Float[Array, "..."]) -> Float[Array, "..."]:
    """The nearest whole number; the gradient passes everywhere.

    Args:
        latent: float of any shape.
    """
    return latent + jax.lax.stop_gradient(jnp.round(latent) - latent)


def train_straight_through(
    features: Int[ArrayLike, "N F"],
    labels: Int[ArrayLike, " N"],
    num_classes: int,
    seed: int = 0,
    epochs: int = 200,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
) -> tuple[Int[np.ndarray, "C F"], Int[np.ndarray, " C"]]:
    """Trains a ternary linear classifier by gradient descent.

    Args:
        features: whole numbers [N, F].
        labels: int [N], 0 … C−1.
        num_classes: C.
        seed: of the first weights and the order of the instances.
        epochs: passes over the instances, 1 or more.
        batch_size: instances a step, 1 or more; the last batch of an epoch may be less.
        learning_rate: of Adam, above 0.

    Returns:
        int8 [C, F] in {−1, 0, 1}; int64 [C].

    Raises:
        ValueError: when a setting is out of range.
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not (isinstance(value, int | np.integer) and value >= 1):
            raise ValueError(f"{name} is {value!r}; it must be a whole number from 1.")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate is {learning_rate!r}; it must be above 0.")
    rows = jnp.asarray(features, jnp.float32)
    latent = _train(
        rows,
        jnp.asarray(labels, jnp.int32),
        jax.random.key(seed),
        learning_rate,
        num_classes=num_classes,
        epochs=int(epochs),
        batch_size=min(int(batch_size), len(rows)),
    )
    weights = np.asarray(ternary(latent["weights"]))
    intercepts = np.asarray(rounded(latent["intercepts"]))
    return np.round(weights).astype(np.int8), np.round(intercepts).astype(np.int64)


@partial(jax.jit, static_argnames=("num_classes", "epochs", "batch_size"))
def _train(
    features: Float[Array, "N F"],
    labels: Int[Array, " N"],
    key: Array,
    learning_rate: Array | float,
    *,
    num_classes: int,
    epochs: int,
    batch_size: int,
) -> Latent:
    """Latent weights after all epochs, one scan over epochs of one over batches."""
    count, width = features.shape
    batches = -(-count // batch_size)
    padding = batches * batch_size - count
    start_key, order_key = jax.random.split(key)
    limit = jnp.sqrt(6.0 / (width + num_classes))
    shape = (num_classes, width)
    latent = {
        "weights": jax.random.uniform(start_key, shape, minval=-limit, maxval=limit),
        "intercepts": jnp.zeros(num_classes),
    }
    optimiser = optax.adam(learning_rate)

    def loss(latent: Latent, batch: Int[Array, " B"]) -> Array:
        weights, intercepts = ternary(latent["weights"]), rounded(latent["intercepts"])
        scores = features[batch] @ weights.T + intercepts
        losses = optax.softmax_cross_entropy_with_integer_labels(scores, labels[batch])
        real = batch >= 0  # −1 fills the last batch
        return jnp.where(real, losses, 0.0).sum() / real.sum()

    def step(state: tuple, batch: Int[Array, " B"]) -> tuple[tuple, None]:
        latent, moments = state
        updates, moments = optimiser.update(jax.grad(loss)(latent, batch), moments)
        return (optax.apply_updates(latent, updates), moments), None

    def epoch(state: tuple, key: Array) -> tuple[tuple, None]:
        order = jnp.pad(
            jax.random.permutation(key, count), (0, padding), constant_values=-1
        )
        return jax.lax.scan(step, state, order.reshape(batches, batch_size))

    state = (latent, optimiser.init(latent))
    return jax.lax.scan(epoch, state, jax.random.split(order_key, epochs))[0][0]

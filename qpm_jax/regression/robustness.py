"""How many features may flip before a ternary linear model changes its mind.

A certificate that comes free with weights in {−1, 0, 1} on features of 0 and 1: flips
add up, so the fewest that let a rival c overtake the predicted class p are the largest
gains first. Flipping feature f changes the lead y_p − y_c by −(w_pf − w_cf)(2x_f − 1),
a loss of 2, 1 or none that helps, and a lead of m is lost after the number of twos and
ones that add up to it. The result is exact: r flips never change the prediction,
and some r + 1 flips do. Of equal scores the first class wins, on both sides of a flip.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int

_ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Certificate:
    """What a model answers, and how far that answer holds.

    Attributes:
        predicted: int64 [N], the class of the highest score, the first of equal ones.
        radius: int64 [N], the largest number of features whose flips, whichever they
            are, cannot change it; F where no flips can.
    """

    predicted: Int[np.ndarray, " N"]
    radius: Int[np.ndarray, " N"]


def certify(
    coefficients: Int[ArrayLike, "C F"],
    intercepts: Int[ArrayLike, " C"],
    features: Int[ArrayLike, "N F"],
) -> Certificate:
    """Certifies every prediction of a ternary linear model, exactly.

    Args:
        coefficients: −1, 0 or 1, [C, F].
        intercepts: whole numbers [C].
        features: 0 or 1, [N, F].

    Returns:
        Predictions and radii.

    Raises:
        ValueError: when a weight is not ternary, an intercept not whole, a feature
            neither 0 nor 1, or shapes do not fit.
    """
    weights, offsets, rows = (
        np.asarray(values) for values in (coefficients, intercepts, features)
    )
    _check(weights, offsets, rows)
    predicted, radius = _certify(
        jnp.asarray(weights, jnp.int32),
        jnp.asarray(offsets, jnp.int32),
        jnp.asarray(rows, jnp.int8),
    )
    return Certificate(np.asarray(predicted, np.int64), np.asarray(radius, np.int64))


def robust_accuracy(
    certificate: Certificate, labels: Int[ArrayLike, " N"]
) -> Float[np.ndarray, " R"]:
    """Shares of instances that stay right under any r flips, r = 0, 1, 2 … .

    Args:
        certificate: of these instances.
        labels: whole numbers [N], the true classes.

    Returns:
        float64 [R]: entry r is the share with a correct prediction and a radius of at
        least r, so entry 0 is the accuracy; R − 1 is the largest radius of a correct
        prediction.

    Raises:
        ValueError: when the number of labels is another, or 0.
    """
    truth = np.asarray(labels)
    if truth.shape != certificate.predicted.shape or not truth.size:
        raise ValueError(
            f"labels has shape {truth.shape}; it must be {certificate.predicted.shape},"
            " one for each certified instance, and at least one."
        )
    held = certificate.radius[certificate.predicted == truth]
    counts = np.bincount(held, minlength=1)
    return counts[::-1].cumsum()[::-1] / len(truth)


@jax.jit
def _certify(
    weights: Int[Array, "C F"], offsets: Int[Array, " C"], rows: Int[Array, "N F"]
) -> tuple[Int[Array, " N"], Int[Array, " N"]]:
    return jax.lax.map(
        partial(_certify_row, weights, offsets), rows, batch_size=_ROWS_AT_ONCE
    )


def _certify_row(
    weights: Int[Array, "C F"], offsets: Int[Array, " C"], row: Int[Array, " F"]
) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The class and the radius of one instance."""
    classes, num_features = weights.shape
    signs = 2 * row.astype(jnp.int32) - 1
    scores = weights @ row.astype(jnp.int32) + offsets
    best = jnp.argmax(scores)
    losses = (weights[best] - weights) * signs  # of the lead over each class
    twos, ones = jnp.sum(losses == 2, axis=1), jnp.sum(losses == 1, axis=1)
    # An earlier class overtakes by an equal score, a later one by a higher.
    needed = scores[best] - scores + (jnp.arange(classes) > best)
    flips = jnp.where(needed <= 2 * twos, (needed + 1) // 2, needed - twos)
    flips = jnp.where(needed <= 2 * twos + ones, flips, num_features + 1)
    rivals = jnp.arange(classes) != best
    return best, jnp.min(flips, initial=num_features + 1, where=rivals) - 1


def _check(weights: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> None:
    if weights.ndim != 2 or not np.isin(weights, (-1, 0, 1)).all():
        raise ValueError(
            f"coefficients has shape {weights.shape} and entries from"
            f" {weights.min(initial=0)} to {weights.max(initial=0)}; it must be [C, F]"
            " of −1, 0 and 1."
        )
    classes, num_features = weights.shape
    if offsets.shape != (classes,) or (offsets != np.round(offsets)).any():
        raise ValueError(
            f"intercepts is {offsets}; it must be {classes} whole numbers, one a class."
        )
    if rows.ndim != 2 or rows.shape[1] != num_features:
        raise ValueError(
            f"features has shape {rows.shape}; it must be [N, {num_features}], as"
            " coefficients has."
        )
    if not ((rows == 0) | (rows == 1)).all():
        raise ValueError(
            f"features holds {rows.min()} to {rows.max()}; a flip is between 0 and 1,"
            " so all must be 0 or 1. Binarise them first."
        )

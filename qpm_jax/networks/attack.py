"""Inputs nearby at which a rival wins, by projected gradient descent.

After Madry et al., arXiv 1706.06083: steps along the signs of the lead's slope, cut off
at a distance, here one that shrinks with every success. What is found proves nothing
but that the radius is no larger, so a program need not look further: a smaller box has
tighter intervals and fewer binaries.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.programs.max_layer import MaxLayer, piece_matrix
from qpm_jax.networks.programs.unfolded import Leads

_STEPS = 200
# Where between the point and a success the lead is looked at, too.
_SHARES = np.arange(1, 33) / 32
# A success is followed by a search within so much of its distance.
_SHRINK = 0.99


@dataclass(frozen=True, eq=False)
class Attack:
    """An input at which a rival scores at least as high as the label.

    Attributes:
        distance: ℓ∞, from the point.
        where: float64 [F], the input, its entries in order.
        rival: the class.
    """

    distance: float
    where: Float[np.ndarray, " F"]
    rival: int


def closest_attack(
    layers: tuple[MaxLayer, ...],
    leads: Leads,
    point: Float[np.ndarray, " F"],
    largest: float,
) -> Attack | None:
    """The closest input found at which a rival wins; the same in every run.

    Args:
        layers: of the network, from `unfolded`.
        leads: the label's over its rivals.
        point: where the search starts, its entries in order.
        largest: the largest distance.

    Returns:
        An input no further than that, None where none was found.
    """
    matrices = [piece_matrix(layer) for layer in layers]

    def look(rivals: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights, inputs = leads.weights[rivals], point + shifts
        lead, slopes = _leads_and_slopes(layers, matrices, weights, inputs)
        return lead + leads.biases[rivals], slopes

    rivals = np.arange(len(leads.rivals))
    shifts = np.zeros((len(rivals), len(point)))
    within, best = largest, None
    for step in range(_STEPS):
        lead, slopes = look(rivals, shifts)
        for rival in np.flatnonzero(lead <= 0):
            between = _SHARES[:, None] * shifts[rival]
            wins = look(np.full(len(_SHARES), rival), between)[0] <= 0
            shift = between[wins.argmax()] if wins.any() else shifts[rival]
            distance = float(np.abs(shift).max())
            if best is None or distance < best.distance:
                best = Attack(distance, point + shift, int(leads.rivals[rival]))
                within = _SHRINK * distance
        pace = within / (1 + step / 20)
        shifts = np.clip(shifts - pace * np.sign(slopes), -within, within)
    return best


def _leads_and_slopes(
    layers: tuple[MaxLayer, ...],
    matrices: list[Any],
    weights: Float[np.ndarray, "B n"],
    inputs: Float[np.ndarray, "B F"],
) -> tuple[Float[np.ndarray, " B"], Float[np.ndarray, "B F"]]:
    """Every row's sum of the last layer, and its slope, by the pieces that win."""
    passing, kept = inputs, []
    for layer, matrix in zip(layers, matrices, strict=True):
        values = (matrix @ passing.T).T.reshape(len(inputs), *layer.biases.shape)
        values = values + layer.biases
        kept.append(values.argmax(axis=-1)[..., None])
        passing = np.take_along_axis(values, kept[-1], axis=-1)[..., 0]
    slopes = weights
    for matrix, layer, first in zip(
        matrices[::-1], layers[::-1], kept[::-1], strict=True
    ):
        through = np.zeros((len(inputs), *layer.biases.shape))
        np.put_along_axis(through, first, slopes[..., None], axis=-1)
        slopes = (matrix.T @ through.reshape(len(inputs), -1).T).T
    return (weights * passing).sum(axis=1), slopes

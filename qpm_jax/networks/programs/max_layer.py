"""Layers of maxima of affine pieces, m = max_k z_k: what both kinds of network are.

A ReLU is the maximum of 0 and one affine piece, a ReLU with max-pooling that of 0 and
the pieces of a window, average pooling a sum in the layer behind. Over a box two pieces
differ by an interval that is exact, and pieces that never win are known from it.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float

from qpm_jax.networks.programs.affine import Affine


@dataclass(frozen=True, eq=False)
class MaxLayer:
    """Units m = max_k z_k of affine pieces z of the layer before.

    Attributes:
        terms: [n, P, K], what every piece sums; columns number the layer's inputs.
        biases: float64 [n, P], what is added. The first piece is 0.
        inputs: how many inputs there are.
    """

    terms: Affine
    biases: Float[np.ndarray, "n P"]
    inputs: int

    @property
    def pieces(self) -> int:
        """P."""
        return self.biases.shape[1]


def rectified(terms: Affine, biases: Float[np.ndarray, "n q"], inputs: int) -> MaxLayer:
    """The layer max(0, z_1 … z_q).

    Args:
        terms: [n, q, K], of z.
        biases: [n, q].
        inputs: how many inputs there are.
    """
    before = ((0, 0), (1, 0))
    return MaxLayer(
        Affine(
            np.pad(terms.columns, (*before, (0, 0))),
            np.pad(terms.coefficients, (*before, (0, 0))),
        ),
        np.pad(biases, before),
        inputs,
    )


def piece_leads(
    layer: MaxLayer, lower: Float[np.ndarray, " I"], upper: Float[np.ndarray, " I"]
) -> Float[np.ndarray, "n P P"]:
    """The most by which a piece leads another, z_j − z_k, for inputs in a box.

    The pieces of a window share pixels, so this is less than the most of z_j less the
    least of z_k. As the first piece is 0, its column is the most of every piece, and
    its row minus the least.

    Args:
        layer: the layer.
        lower: [I], of the inputs.
        upper: likewise.

    Returns:
        float64 [n, P, P], entry [i, j, k] for z_j − z_k of unit i.
    """
    units, pieces = layer.biases.shape
    middle, half = (lower + upper) / 2, (upper - lower) / 2
    matrix = piece_matrix(layer)
    centre = matrix @ middle + layer.biases.reshape(-1)
    centre = centre.reshape(units, pieces)
    leads = centre[:, :, None] - centre[:, None, :]
    for j, k in itertools.combinations(range(pieces), 2):
        apart = abs(matrix[j::pieces] - matrix[k::pieces]) @ half
        leads[:, j, k] += apart
        leads[:, k, j] += apart
    return leads


def winning_pieces(leads: Float[np.ndarray, "n P P"]) -> Bool[np.ndarray, "n P"]:
    """Which pieces can be the largest; of equal ones the first.

    Args:
        leads: from `piece_leads`.

    Returns:
        bool [n, P], at least one a unit: rounding makes no circle, as a piece that is
        beaten is no larger in the middle of the box.
    """
    never = leads <= 0
    earlier = np.tri(leads.shape[1], k=-1, dtype=bool)
    beaten: Any = never & (~never.swapaxes(1, 2) | earlier)
    return ~beaten.any(axis=2)


def piece_matrix(layer: MaxLayer) -> Any:
    """What every piece of every unit sums, as CSR [n · P, inputs].

    Args:
        layer: the layer.
    """
    columns, factors = layer.terms.columns, layer.terms.coefficients
    number = layer.biases.size
    rows = np.repeat(np.arange(number), columns.shape[-1])
    return scipy.sparse.csr_array(
        (factors.reshape(-1), (rows, columns.reshape(-1))),
        shape=(number, layer.inputs),
    )

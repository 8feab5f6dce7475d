"""What a program holds besides linear rows: squares, indicators, products of variables.

docs/networks.md: λ₂w², the ReLU of (e) by indicators, and the products of (c) (iii).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.solvers import Bilinear, Indicators

# Rows, the binary that each depends on, and the value that switches it on.
Switched = tuple[list[Rows], Int[np.ndarray, " K"], Float[np.ndarray, " K"]]


class Readings(NamedTuple):
    """A layer in which weights and inputs are both variables.

    Attributes:
        values: [N, J], the layer's values.
        biases: [J].
        weights: [J, K].
        inputs: [N, K].
    """

    values: Int[np.ndarray, "N J"]
    biases: Int[np.ndarray, " J"]
    weights: Int[np.ndarray, "J K"]
    inputs: Int[np.ndarray, "N K"]


def squares(
    weights: Iterable[Int[np.ndarray, "J K"]], price: float, total: int
) -> scipy.sparse.dia_array | None:
    """The objective Σ price·w².

    Args:
        weights: places of the weights.
        price: λ₂; 0 gives None.
        total: V.
    """
    if not price:
        return None
    diagonal = np.zeros(total)
    for places in weights:
        diagonal[places] = price
    return scipy.sparse.diags_array(diagonal)


def indicators(switched: Sequence[Switched], total: int) -> Indicators | None:
    """Rows that hold only where a binary has a value, None where there are none.

    Args:
        switched: rows with their binaries and values.
        total: V.
    """
    if not switched:
        return None
    matrix, lower, upper = stacked(
        (row for rows, *_ in switched for row in rows), total
    )
    return Indicators(
        variable=np.concatenate([binaries for _, binaries, _ in switched]),
        value=np.concatenate([values for *_, values in switched]).astype(bool),
        rows=matrix,
        lower=lower,
        upper=upper,
    )


def products(layers: Iterable[Readings], total: int) -> Bilinear | None:
    """Rows Σ_k w_jk h_ik + b_j − z_ij = 0, None where there are none.

    Args:
        layers: those whose weights multiply variables.
        total: V.
    """
    rows, first, second, places, above = [], [], [], [], 0
    for here in layers:
        rows.append(make_rows([(here.values, -1.0), (here.biases, 1.0)], 0.0, 0.0))
        shape = (*here.values.shape, here.inputs.shape[1])
        first.append(np.broadcast_to(here.weights, shape).reshape(-1))
        second.append(np.broadcast_to(here.inputs[:, None], shape).reshape(-1))
        count = here.values.size
        places.append(above + np.repeat(np.arange(count), shape[-1]))
        above += count
    if not above:
        return None
    matrix, lower, upper = stacked(rows, total)
    return Bilinear(
        row=np.concatenate(places),
        first=np.concatenate(first),
        second=np.concatenate(second),
        coefficient=np.ones(sum(len(each) for each in first)),
        rows=matrix,
        lower=lower,
        upper=upper,
    )

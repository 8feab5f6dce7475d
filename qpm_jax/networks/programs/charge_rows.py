"""Rows that charge what a filter answers with the filter itself.

docs/networks.md, Convolution. A relaxation lets h be large while F is small. With
F⁺ = (t + F) / 2 and F⁻ = (t − F) / 2, which are max(±F, 0) once t = |F|, and b⁺ ≥ b,

    h_ir ≤ Σ_k F⁺_k max(x_irk, 0) + F⁻_k max(−x_irk, 0) + b⁺,

and, as a maximum over a window is at most that of every pixel apart,

    m_iw ≤ Σ_k F⁺_k max_{r∈w} max(x_irk, 0) + F⁻_k max_{r∈w} max(−x_irk, 0) + b⁺.

A binary s for every weight and bias says its sign, which makes t = |F| and
b⁺ = max(b, 0) once it is decided: t + F ≤ 2 U s, t − F ≤ 2 U (1 − s), b⁺ ≤ U s,
b⁺ − b ≤ U (1 − s). Of average pooling m follows from h.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.conv_network import patches, windows
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.programs.conv_columns import ConvColumns
from qpm_jax.networks.programs.rows import Rows, make_rows


def charge_rows(problem: ConvProblem, columns: ConvColumns) -> Iterator[Rows]:
    """The charges and what the signs mean.

    Args:
        problem: the problem.
        columns: its variables, with those of signs.
    """
    limit = problem.weight_limit
    half = [(columns.absolute, 0.5)]
    positive, bias_positive = columns.positive, columns.bias_positive
    yield make_rows([*half, (columns.filters, 0.5), (positive, -limit)], upper=0.0)
    yield make_rows([*half, (columns.filters, -0.5), (positive, limit)], upper=limit)
    size, biases = (columns.bias_size, 1.0), (columns.biases, -1.0)
    yield make_rows([size, biases], lower=0.0)
    yield make_rows([size, (bias_positive, -limit)], upper=0.0)
    yield make_rows([size, biases, (bias_positive, limit)], upper=limit)
    seen = patches(problem.images, problem.filter_size)
    gains = np.maximum(seen, 0.0), np.maximum(-seen, 0.0)
    yield from _charged(columns, columns.active, *gains)
    if problem.pooling == "max":
        largest = (windows(gain, problem.window).max(axis=-1) for gain in gains)
        yield from _charged(columns, columns.pooled, *largest)


def _charged(
    columns: ConvColumns,
    answers: Int[np.ndarray, "N H W C"],
    above: Float[np.ndarray, "N H W kkD"],
    below: Float[np.ndarray, "N H W kkD"],
) -> Iterator[Rows]:
    """Every answer is at most what its filter gains above and below zero."""
    above, below = (gain.reshape(-1, gain.shape[-1]) for gain in (above, below))
    shares = -0.5 * np.concatenate([above + below, above - below], axis=1)
    for channel, size in enumerate(columns.bias_size):
        answer = answers[..., channel].reshape(-1)
        weights = np.append(columns.absolute[channel], columns.filters[channel])
        places = np.broadcast_to(weights, shares.shape)
        yield make_rows(
            [(answer, 1.0), (np.full(answer.shape, size), -1.0)],
            upper=0.0,
            sums=[(places, shares)],
        )

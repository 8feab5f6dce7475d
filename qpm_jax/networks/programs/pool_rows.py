"""Rows of pooling and of gates on the pooled map.

docs/networks.md, Convolution. Of a window's activations h_1 … h_q with 0 ≤ h ≤ H,

    max:      m ≥ h_k,   m ≤ h_k + H (1 − g_k),   Σ_k g_k = 1,
    average:  m = Σ_k h_k / q.

A gate e of an entry of the pooled map, one for all samples, turns it off: with e = 0 no
output reads it.
"""

from collections.abc import Iterator

import numpy as np

from qpm_jax.networks.bounds.conv_intervals import ConvBounds, pooled_reach
from qpm_jax.networks.conv_network import windows
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.programs.conv_columns import ConvColumns
from qpm_jax.networks.programs.rows import Rows, make_rows


def pool_rows(
    problem: ConvProblem, columns: ConvColumns, bounds: ConvBounds
) -> Iterator[Rows]:
    """What the pooled map is.

    Args:
        problem: the problem.
        columns: its variables.
        bounds: of z.
    """
    reach = pooled_reach(problem, bounds)
    for channel in range(problem.channels):
        part = slice(channel, channel + 1)
        active = windows(columns.active[..., part], problem.window)
        pooled = columns.pooled[..., part]
        if problem.pooling == "average":
            share = -1.0 / active.shape[-1]
            yield make_rows([(pooled, 1.0)], 0.0, 0.0, sums=[(active, share)])
            continue
        chosen = columns.chosen[..., part, :]
        most = reach[..., part, None]
        largest = (pooled[..., None], 1.0)
        yield make_rows([largest, (active, -1.0)], lower=0.0)
        yield make_rows([largest, (active, -1.0), (chosen, most)], upper=most)
        yield make_rows([], 1.0, 1.0, sums=[(chosen, 1.0)])


def reading_rows(problem: ConvProblem, columns: ConvColumns) -> Iterator[Rows]:
    """No output reads a channel or an entry of the pooled map that is off.

    Args:
        problem: the problem.
        columns: its variables.
    """
    limit, absolute = problem.family.limit, columns.readout.absolute
    channel = np.broadcast_to(columns.alive, problem.pooled_shape).reshape(-1)
    yield make_rows([(absolute, 1.0), (channel, -limit)], upper=0.0)
    if columns.gates.size:
        gates = columns.gates.reshape(-1)
        yield make_rows([(absolute, 1.0), (gates, -limit)], upper=0.0)
        yield make_rows([(gates, 1.0), (channel, -1.0)], upper=0.0)

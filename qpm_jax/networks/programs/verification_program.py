"""A trained network's answers over a box of inputs, as a mixed-integer program.

The weights are numbers now and the input x is what varies, ‖x − x⁰‖_∞ ≤ ε. Maxima are
encoded by `max_rows`, with intervals over the largest box. One binary a rival class
says which of them is to score as high as the label: one program for all rivals, with ε
or the margin as its objective, so nothing is bisected.
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from qpm_jax.networks.programs.beyond_linear import Switched, indicators
from qpm_jax.networks.programs.max_layer import MaxLayer
from qpm_jax.networks.programs.max_rows import layer_part
from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.networks.programs.unfolded import Leads
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class BoxProgram:
    """A program over inputs in a box.

    Attributes:
        program: minimises ε, or the label's lead over the rival that is chosen.
        inputs: int64 [F], x, in order.
        size: index of ε.
        lead: index of the lead.
        chosen: int64 [C−1], binaries of the rivals.
        rivals: int64 [C−1], their classes.
    """

    program: MixedIntegerProgram
    inputs: Int[np.ndarray, " F"]
    size: int
    lead: int
    chosen: Int[np.ndarray, " R"]
    rivals: Int[np.ndarray, " R"]


def build_box(
    layers: tuple[MaxLayer, ...],
    leads: Leads,
    point: Float[np.ndarray, " F"],
    radius: float,
    relu: str,
    *,
    least_size: bool,
) -> BoxProgram:
    """Builds the program.

    Args:
        layers: of the network, from `unfolded`.
        leads: of the class that is to be overtaken.
        point: x⁰, its entries in order.
        radius: the largest ε.
        relu: "big_m", "indicator" or "partitioned".
        least_size: whether ε is minimised and the rival must be as high, or the lead
            is minimised in the whole box.
    """
    inputs = np.arange(len(point))
    size, lead = len(point), len(point) + 1
    lower, upper = np.r_[point - radius, 0, 0], np.r_[point + radius, radius, 0]
    rows = [
        make_rows([(inputs, 1.0), (np.array(size), -1.0)], upper=point),
        make_rows([(inputs, 1.0), (np.array(size), 1.0)], lower=point),
    ]
    before, binaries, switched = inputs, [], []
    for layer in layers:
        part = layer_part(layer, before, lower[before], upper[before], len(lower), relu)
        rows += part.rows
        lower, upper = np.r_[lower, part.lower], np.r_[upper, part.upper]
        before = part.units
        binaries.append(part.binaries)
        switched += part.switched
    chosen = len(lower) + np.arange(len(leads.rivals))
    least, most = _reach(leads, lower[before], upper[before])
    # Rows of rivals that are not chosen must say nothing.
    spare = np.maximum(most, 0.0) if least_size else most - least.min()
    if not least_size:
        lower[lead], upper[lead] = least.min(), most.max()
    rows += _overtaking(leads, before, chosen, lead, spare, least_size)
    lower, upper = np.r_[lower, 0.0 * most], np.r_[upper, 0.0 * most + 1]
    whole = np.concatenate([chosen, *binaries])
    aim = size if least_size else lead
    program = _minimising(aim, rows, switched, lower, upper, whole)
    return BoxProgram(program, inputs, size, lead, chosen, leads.rivals)


def _minimising(
    variable: int,
    rows: list[Rows],
    switched: list[Switched],
    lower: np.ndarray,
    upper: np.ndarray,
    whole: np.ndarray,
) -> MixedIntegerProgram:
    """The program that makes one variable as small as it can be."""
    integer = np.zeros(len(lower), bool)
    integer[whole] = True
    objective = np.zeros(len(lower))
    objective[variable] = 1.0
    matrix, row_lower, row_upper = stacked(rows, len(lower))
    return MixedIntegerProgram(
        objective,
        matrix,
        row_lower,
        row_upper,
        lower,
        upper,
        integer,
        indicators=indicators(switched, len(lower)),
    )


def _overtaking(
    leads: Leads,
    before: np.ndarray,
    chosen: np.ndarray,
    lead: int,
    spare: np.ndarray,
    least_size: bool,
) -> list[Rows]:
    """One rival is chosen; its lead is ≤ 0, or at most the lead that is minimised."""
    sums = [(np.broadcast_to(before, leads.weights.shape), leads.weights)]
    terms: list[tuple[np.ndarray, ArrayLike]] = [(chosen, spare)]
    if not least_size:
        terms.append((np.array(lead), -1.0))
    return [
        make_rows(terms, upper=spare - leads.biases, sums=sums),
        make_rows([], 1.0, 1.0, sums=[(chosen, 1.0)]),
    ]


def _reach(
    leads: Leads, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The least and most of every lead, for units in a box."""
    positive, negative = np.maximum(leads.weights, 0), np.minimum(leads.weights, 0)
    return (
        positive @ lower + negative @ upper + leads.biases,
        positive @ upper + negative @ lower + leads.biases,
    )

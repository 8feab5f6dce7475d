"""A trained network's answers over a box of inputs, as a mixed-integer program.

The weights are numbers now and the input x is what varies, ‖x − x⁰‖_∞ ≤ ε. The ReLUs
are encoded as in training (`relu_rows`), with interval bounds over the largest box. One
binary a rival class says which of them is to score as high as the label: one program
for all rivals, with ε or the margin as its objective, so nothing is bisected.
"""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.programs.affine import Affine
from qpm_jax.networks.programs.beyond_linear import Switched, indicators
from qpm_jax.networks.programs.relu_rows import (
    GROUPS,
    ReLUColumns,
    above_rows,
    group_ranges,
    indicator_rows,
    partition_rows,
    relu_rows,
)
from qpm_jax.networks.programs.rows import Rows, make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram


@dataclass(frozen=True, eq=False)
class BoxProgram:
    """A program over inputs in a box.

    Attributes:
        program: minimises ε, or the label's lead over the rival that is chosen.
        inputs: int64 [F], x.
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


def scoring_layers(
    network: ReLUNetwork, codes: Float[np.ndarray, "C O"]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases of the layers that are not skipped, scores as the readout.

    Args:
        network: the network.
        codes: [C, O].
    """
    stays = np.flatnonzero(~network.skipped)
    weights = [network.weights[layer] for layer in stays]
    biases = [network.biases[layer] for layer in stays]
    return (
        [*weights, codes @ network.weights[-1]],
        [*biases, codes @ network.biases[-1]],
    )


def build_box(
    network: ReLUNetwork,
    codes: Float[np.ndarray, "C O"],
    point: Float[np.ndarray, " F"],
    label: int,
    radius: float,
    relu: str,
    *,
    least_size: bool,
) -> BoxProgram:
    """Builds the program.

    Args:
        network: the network.
        codes: [C, O].
        point: x⁰.
        label: the class that is to be overtaken.
        radius: the largest ε.
        relu: "big_m", "indicator" or "partitioned".
        least_size: whether ε is minimised and the rival must be as high, or the lead
            is minimised in the whole box.
    """
    weights, biases = scoring_layers(network, codes)
    lead_weights, lead_biases, rivals = _leads(weights[-1], biases[-1], label)
    inputs = np.arange(len(point))
    size, lead = len(point), len(point) + 1
    lower, upper = np.r_[point - radius, 0, 0], np.r_[point + radius, radius, 0]
    rows = [
        make_rows([(inputs, 1.0), (np.array(size), -1.0)], upper=point),
        make_rows([(inputs, 1.0), (np.array(size), 1.0)], lower=point),
    ]
    before, binaries, switched = inputs, [], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        layer = _layer(weight, bias, before, lower, upper, relu)
        rows += layer.rows
        lower, upper = np.r_[lower, layer.lower], np.r_[upper, layer.upper]
        before = layer.active
        binaries.append(layer.on)
        switched += layer.switched
    total = len(lower)
    chosen = total + np.arange(len(rivals))
    least, most = _reach(lead_weights, lead_biases, lower[before], upper[before])
    # Rows of rivals that are not chosen must say nothing.
    spare = np.maximum(most, 0.0) if least_size else most - least.min()
    if not least_size:
        lower[lead], upper[lead] = least.min(), most.max()
    rows += _overtaking(
        lead_weights, lead_biases, before, chosen, lead, spare, least_size
    )
    lower, upper = np.r_[lower, 0.0 * most], np.r_[upper, 0.0 * most + 1]
    whole = np.concatenate([chosen, *binaries])
    aim = size if least_size else lead
    program = _minimising(aim, rows, switched, lower, upper, whole)
    return BoxProgram(program, inputs, size, lead, chosen, rivals)


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


@dataclass(frozen=True, eq=False)
class _Layer:
    """New variables z, h, a and shares, their ranges, and rows."""

    rows: list[Rows]
    switched: list[Switched]
    lower: np.ndarray
    upper: np.ndarray
    active: np.ndarray
    on: np.ndarray


def _layer(
    weight: np.ndarray,
    bias: np.ndarray,
    before: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    relu: str,
) -> _Layer:
    number, start = len(bias), len(lower)
    values, active, on = start + np.arange(3 * number).reshape(3, 1, number)
    least, most = _reach(weight, bias, lower[before], upper[before])
    columns = np.broadcast_to(before, (1, *weight.shape))
    affine = Affine(columns, weight[None])
    triple = ReLUColumns(values, active, on)
    rows = [
        make_rows(
            [(values, -1.0)], -bias, -bias, sums=[(affine.columns, affine.coefficients)]
        )
    ]
    switched = [indicator_rows(triple)] if relu == "indicator" else []
    if switched:
        rows.append(above_rows(triple))
    else:
        rows += relu_rows(triple, least[None], most[None])
    new_lower = np.r_[least, np.zeros(2 * number)]
    new_upper = np.r_[most, np.maximum(most, 0.0), np.ones(number)]
    if relu == "partitioned":
        # The bias is a number here: it joins the first group, as a multiple of a.
        groups = min(weight.shape[1], GROUPS)
        shares = start + 3 * number + np.arange(number * groups)
        shares = shares.reshape(1, number, groups)
        rows += _shared(triple, affine, shares, bias, lower, upper)
        new_lower = np.r_[new_lower, np.full(shares.size, -np.inf)]
        new_upper = np.r_[new_upper, np.full(shares.size, np.inf)]
    return _Layer(rows, switched, new_lower, new_upper, active[0], on[0])


def _shared(
    triple: ReLUColumns,
    affine: Affine,
    shares: np.ndarray,
    bias: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> list[Rows]:
    """Partition rows for z = Σ s_g + b, where h = Σ s⁺_g + b a."""
    rows = partition_rows(triple, affine, shares, group_ranges(affine, lower, upper))
    rows[0] = make_rows(
        [(triple.active, -1.0), (triple.on, bias)], 0.0, 0.0, sums=[(shares, 1.0)]
    )
    return rows


def _leads(
    weights: np.ndarray, biases: np.ndarray, label: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The label's score minus every rival's."""
    rivals = np.delete(np.arange(len(biases)), label)
    return weights[label] - weights[rivals], biases[label] - biases[rivals], rivals


def _overtaking(
    weights: np.ndarray,
    biases: np.ndarray,
    before: np.ndarray,
    chosen: np.ndarray,
    lead: int,
    spare: np.ndarray,
    least_size: bool,
) -> list[Rows]:
    """One rival is chosen; its lead is ≤ 0, or at most the lead that is minimised."""
    sums = [(np.broadcast_to(before, weights.shape), weights)]
    terms: list[tuple[np.ndarray, ArrayLike]] = [(chosen, spare)]
    if not least_size:
        terms.append((np.array(lead), -1.0))
    return [
        make_rows(terms, upper=spare - biases, sums=sums),
        make_rows([], 1.0, 1.0, sums=[(chosen, 1.0)]),
    ]


def _reach(
    weight: np.ndarray, bias: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The least and most of W h + b for h in a box."""
    positive, negative = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
    return (
        positive @ lower + negative @ upper + bias,
        positive @ upper + negative @ lower + bias,
    )

"""A convolutional program's variables for a network, and the other way round."""

from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.conv_network import (
    ConvNetwork,
    conv_outputs,
    convolved,
    patches,
    pooled,
    windows,
)
from qpm_jax.networks.labels import hinge_losses
from qpm_jax.networks.programs.conv_program import ConvProgram
from qpm_jax.networks.programs.conv_rows import share_columns
from qpm_jax.networks.programs.program_values import DUST
from qpm_jax.networks.programs.pruning_rows import tangent_squares
from qpm_jax.networks.programs.relu_rows import group_slices


def read_conv(conv: ConvProgram, values: Float[np.ndarray, " V"]) -> ConvNetwork:
    """The network a program's variables stand for.

    Args:
        conv: the whole program.
        values: float64 [V], a solution.

    Returns:
        The network, readout weights exactly in the family.
    """
    problem, columns = conv.problem, conv.columns
    readout = values[columns.readout.weights]
    if columns.readout.bits.size:
        readout = problem.family.values(values[columns.readout.bits] > 0.5)
    limit = problem.weight_limit
    parts = [
        np.clip(values[place], -limit, limit)
        for place in (columns.filters, columns.biases, columns.readout.biases)
    ]
    filters, biases, last = (np.where(np.abs(p) > DUST, p, 0.0) for p in parts)
    readout = np.where(np.abs(readout) > DUST, readout, 0.0)
    return problem.network(filters, biases, readout, last)


def write_conv(conv: ConvProgram, network: ConvNetwork) -> Float[np.ndarray, " V"]:
    """A program's variables for a network, a start for a solver.

    Args:
        conv: the program, whole or of the convolution alone.
        network: its channels in order, readout weights in the family.

    Returns:
        float64 [V], feasible if the network is within the limits and, where the program
        was built with an objective, no worse.
    """
    problem, columns = conv.problem, conv.columns
    values = np.zeros(conv.program.num_variables)
    reached = convolved(network, problem.images)
    active = np.maximum(reached, 0.0)
    inputs = pooled(network, problem.images)
    filters = network.filters.reshape(columns.filters.shape)
    read: Any = network.readout.any(axis=0)
    seen = filters.any(axis=1) | (network.filter_biases != 0)
    for place, found in (
        (columns.filters, filters),
        (columns.biases, network.filter_biases),
        (columns.absolute, np.abs(filters)),
        (columns.alive, read.any(axis=(0, 1)) | seen),
        (columns.values, reached),
        (columns.active, active),
        (columns.on, active > 0),
        (columns.pooled, inputs),
    ):
        values[place] = found
    if columns.gates.size:
        values[columns.gates] = read
    if columns.used.size:
        values[columns.used] = read.any(axis=2).reshape(-1)
    if columns.chosen.size:
        first = windows(active, problem.window).argmax(axis=-1)[..., None]
        values[columns.chosen] = np.arange(columns.chosen.shape[-1]) == first
    if columns.positive.size:
        values[columns.positive] = filters > 0
        values[columns.bias_positive] = network.filter_biases > 0
        values[columns.bias_size] = np.maximum(network.filter_biases, 0.0)
    if conv.relu == "partitioned":
        _write_shares(conv, network, active > 0, values)
    if columns.readout.values.size:
        _write_readout(conv, network, inputs.reshape(len(inputs), -1), values)
    return values


def _write_readout(
    conv: ConvProgram,
    network: ConvNetwork,
    inputs: Float[np.ndarray, "N P"],
    values: Float[np.ndarray, " V"],
) -> None:
    problem, here = conv.problem, conv.columns.readout
    weights = network.readout.reshape(here.weights.shape)
    reached = conv_outputs(network, problem.images)
    values[here.weights], values[here.biases] = weights, network.readout_biases
    values[here.absolute] = np.abs(weights)
    if here.squares.size:
        values[here.squares] = tangent_squares(weights, problem.family.limit)
    if here.bits.size:
        bits = problem.family.bits(weights)
        values[here.bits] = bits
        values[here.products] = bits * inputs[:, None, :, None]
    values[here.values] = reached
    values[conv.columns.losses] = hinge_losses(
        reached, problem.labels, problem.label_encoding
    )


def _write_shares(
    conv: ConvProgram,
    network: ConvNetwork,
    on: Float[np.ndarray, "N H W C"],
    values: Float[np.ndarray, " V"],
) -> None:
    """Every group's part of z where the ReLU is on."""
    problem, shares = conv.problem, share_columns(conv.problem, conv.columns)
    seen = patches(problem.images, problem.filter_size)[..., None, :]
    flat = network.filters.reshape(problem.channels, -1)
    biases = np.broadcast_to(network.filter_biases, on.shape)[..., None]
    terms = np.concatenate([seen * flat, biases], axis=-1) * on[..., None]
    for group, part in enumerate(group_slices(terms.shape[-1])):
        found = terms[..., part].sum(axis=-1)
        values[shares[..., group]] = found.reshape(-1, problem.channels)

"""One run of the experiments with images: split, fit, measure."""

import dataclasses
import time
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from qpm_jax.networks.conv_network import (
    ConvNetwork,
    conv_outputs,
    conv_parameter_reduction,
    conv_sparsity,
)
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_solve import solve_conv
from qpm_jax.networks.experiments.image_data import Images, ImageSplit, split
from qpm_jax.networks.experiments.measurements import Split
from qpm_jax.networks.experiments.references import REFERENCES, reference
from qpm_jax.networks.labels import scores
from qpm_jax.networks.programs.conv_program import conv_program_size
from qpm_jax.networks.starts.conv_starts import ConvStart, conv_pruned, conv_starts
from qpm_jax.networks.weight_family import weight_family


def execute_images(source: Images, seed: int, config: ConfigDict) -> dict[str, Any]:
    """Fits all models to one split.

    Args:
        source: the data set.
        seed: of the split and of all that is random.
        config: see `settings.default`.

    Returns:
        Figures ready for JSON, as `experiments.execute`; "chosen" has the size of the
        whole program.

    Raises:
        KeyboardInterrupt: a model was interrupted.
    """
    settings = config.conv
    part = split(source, settings.training_images, config.test_share, seed)
    problem = conv_problem(part, config)
    record: dict[str, Any] = {"chosen": conv_program_size(problem)}
    weights, trained, training = 0, None, 0.0
    for model in config.models:
        if model in REFERENCES:
            record[model] = reference(model, _flat(part), config.tree.depth, seed)
            continue
        began = time.perf_counter()
        more: dict[str, Any] = {}
        if model == "milp":
            network, more = _milp(problem, config, seed)
            weights = int((network.readout != 0).sum())
        else:
            # What is trained once counts for every model that needs it.
            began -= training
            free = dataclasses.replace(problem, family=weight_family("bilinear"))
            trained = trained or _descended(free, settings, seed)
            training = training or time.perf_counter() - began
            network = trained.network
            if model != "gradient":
                network = _pruned(model, free, trained, weights, seed, settings)
        figures = _figures(problem, part, network)
        figures["seconds"] = time.perf_counter() - began
        record[model] = figures | more
    return record


def conv_problem(part: ImageSplit, config: ConfigDict) -> ConvProblem:
    """The problem of a configuration.

    Args:
        part: the training images are used.
        config: see `settings.default`.
    """
    settings = config.conv
    return ConvProblem(
        part.images,
        part.labels,
        int(part.test_labels.max()) + 1,
        settings.channels,
        settings.filter_size,
        settings.pooling,
        settings.window,
        weight_family(config.deep_weights, settings.grid_step, settings.grid_bits),
        config.label_encoding,
        settings.l1,
        settings.l2,
        settings.channel_price,
        settings.gate_price,
        settings.weight_limit,
    )


def _milp(
    problem: ConvProblem, config: ConfigDict, seed: int
) -> tuple[ConvNetwork, dict[str, Any]]:
    found = solve_conv(
        problem,
        config.milp.relu,
        config.milp.solver,
        config.milp.time_limit,
        config.milp.gap,
        config.milp.threads,
        seed,
        restarts=config.conv.restarts,
        dropout=config.conv.dropout,
        tightening=config.milp.tightening,
    )
    if found.status == "interrupted":
        raise KeyboardInterrupt
    network = found.network
    return network, {
        "bound": found.bound,
        "gap": found.gap,
        "status": found.status,
        "history": [list(each) for each in found.history],
        "network": {
            "filters": network.filters.tolist(),
            "filter_biases": network.filter_biases.tolist(),
            "readout": network.readout.tolist(),
            "readout_biases": network.readout_biases.tolist(),
            "pooling": network.pooling,
            "window": network.window,
        },
    }


def _descended(free: ConvProblem, settings: ConfigDict, seed: int) -> ConvStart:
    """Gradient descent alone: readout weights of any size up to 2."""
    return conv_starts(free, seed, settings.restarts, settings.dropout)[0]


def _pruned(
    model: str,
    free: ConvProblem,
    trained: ConvStart,
    weights: int,
    seed: int,
    settings: ConfigDict,
) -> ConvNetwork:
    """Of so many readout weights; the l1 price is left out, pruning takes its place."""
    return conv_pruned(
        dataclasses.replace(free, l1=0.0),
        trained,
        weights,
        seed,
        rewind=model == "lottery",
        dropout=settings.dropout,
    )


def _figures(
    problem: ConvProblem, part: ImageSplit, network: ConvNetwork
) -> dict[str, Any]:
    def right(images: np.ndarray, labels: np.ndarray) -> float:
        reached = conv_outputs(network, images[..., None])
        found = scores(reached, problem.codes).argmax(axis=1)
        return float((found == labels).mean())

    return {
        "test_accuracy": right(part.test_images, part.test_labels),
        "training_accuracy": right(part.images, part.labels),
        "sparsity": conv_sparsity(network),
        "parameter_reduction": conv_parameter_reduction(network),
        "objective": problem.objective(network),
    }


def _flat(part: ImageSplit) -> Split:
    """Pixels as the features of a table."""
    return Split(
        part.images.reshape(len(part.images), -1),
        part.labels,
        part.test_images.reshape(len(part.test_images), -1),
        part.test_labels,
    )

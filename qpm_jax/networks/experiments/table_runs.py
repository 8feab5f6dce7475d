"""One run of the experiments: split, choose, fit, measure."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from qpm_jax.networks.experiments.choice import accuracy, choose, make_problem
from qpm_jax.networks.experiments.gradient_baselines import descended, magnitude_pruned
from qpm_jax.networks.experiments.measurements import Measurements, Split, split
from qpm_jax.networks.experiments.references import reference
from qpm_jax.networks.network import (
    ZERO,
    ReLUNetwork,
    parameter_reduction,
    sparsity,
)
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.solve import solve


@dataclass(frozen=True)
class Run:
    """What one run is.

    Attributes:
        table: name of the data set.
        seed: of the split and of all that is random.
    """

    table: str
    seed: int


def planned_runs(config: ConfigDict) -> Iterator[Run]:
    """Yields every run of a configuration.

    Args:
        config: see `settings.default`.
    """
    yield from (Run(config.table, seed) for seed in config.seeds)


def execute(source: Measurements, run: Run, config: ConfigDict) -> dict[str, Any]:
    """Fits all models to one split.

    Args:
        source: the data set.
        run: which split.
        config: see `settings.default`.

    Returns:
        Figures ready for JSON: "chosen", and for each model its test_accuracy,
        training_accuracy, seconds and, for networks, sparsity, parameter_reduction
        and objective; for "milp" also bound, gap, status, history and the network.

    Raises:
        KeyboardInterrupt: a model was interrupted.
    """
    part = split(source.features, source.labels, config.test_share, run.seed)
    encoding, family = config.label_encoding, config.deep_weights
    candidate, expected = choose(
        part.features, part.labels, config.choice.to_dict(), encoding, family, run.seed
    )
    problem = make_problem(part.features, part.labels, candidate, encoding, family)
    record: dict[str, Any] = {
        "chosen": asdict(candidate) | {"inner_accuracy": expected}
    }
    weights = 0
    for model in config.models:
        if model == "milp":
            figures, network = _milp(problem, part, config.milp, run.seed)
            weights = sum(int((np.abs(w) >= ZERO).sum()) for w in network.weights)
        elif model in ("gradient", "magnitude", "lottery"):
            figures = _gradient(model, problem, part, weights, run.seed)
        else:
            figures = reference(model, part, config.tree.depth, run.seed)
        record[model] = figures
    return record


def _milp(
    problem: NetworkProblem, part: Split, settings: ConfigDict, seed: int
) -> tuple[dict[str, Any], ReLUNetwork]:
    found = solve(
        problem,
        settings.relu,
        settings.solver,
        settings.time_limit,
        settings.gap,
        settings.threads,
        seed,
        tightening=settings.tightening,
    )
    if found.status == "interrupted":
        raise KeyboardInterrupt
    figures = _figures(problem, part, found.network) | {
        "seconds": found.seconds,
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap,
        "status": found.status,
        "history": [list(each) for each in found.history],
        "network": {
            "weights": [each.tolist() for each in found.network.weights],
            "biases": [each.tolist() for each in found.network.biases],
        },
    }
    return figures, found.network


def _gradient(
    model: str, problem: NetworkProblem, part: Split, weights: int, seed: int
) -> dict[str, Any]:
    began = time.perf_counter()
    if model == "gradient":
        network = descended(problem, seed)
    else:
        rewind = model == "lottery"
        network = magnitude_pruned(problem, weights, seed, rewind=rewind)
    seconds = time.perf_counter() - began
    return _figures(problem, part, network) | {"seconds": seconds}


def _figures(
    problem: NetworkProblem, part: Split, network: ReLUNetwork
) -> dict[str, Any]:
    return {
        "test_accuracy": accuracy(
            problem, network, part.test_features, part.test_labels
        ),
        "training_accuracy": accuracy(problem, network, part.features, part.labels),
        "sparsity": sparsity(network),
        "parameter_reduction": parameter_reduction(network),
        "objective": problem.objective(network),
    }

"""Writes what a solve found, for programs (.npz, .json, .csv) and people (.png)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qpm_jax import files
from qpm_jax.assignment.from_features import FeatureInstance
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.result import Assignment
from qpm_jax.assignment.trace import TracePoint, as_csv, picture


def write_answer(
    folder: str | Path,
    instance: FeatureInstance,
    problem: AssignmentProblem,
    epsilon: float,
    result: Assignment,
    trace: Sequence[TracePoint],
) -> None:
    """Writes `assignment.npz`, `assignment.json`, `trace.csv` and `trace.png`.

    Args:
        folder: where to; made where needed, files of the same names are replaced.
        instance: whose classes the answer names.
        problem: what was solved.
        epsilon: redundancy from which on its pairs are penalised.
        result: the answer.
        trace: the way to it.

    Raises:
        OSError: the folder cannot be written; every file is there whole or not at all.
    """
    folder = Path(folder)
    arrays = {
        "selected": result.selected,
        "assignment": result.assignment,
        "classes": instance.classes,
    }
    files.write_arrays(folder / "assignment.npz", arrays)
    facts = _facts(problem, epsilon, result) | _features_of(instance, result)
    files.write_json(folder / "assignment.json", facts)
    points = [*trace, TracePoint(result.seconds, result.objective, result.bound)]
    files.write_text(folder / "trace.csv", as_csv(points))
    features, classes = problem.similarity.shape
    title = (
        f"{problem.num_features} of {features} features for {classes} classes:"
        f" {result.status} after {result.seconds:.1f} s ({result.solver})"
    )
    files.write_bytes(folder / "trace.png", picture(points, title))


def _facts(
    problem: AssignmentProblem, epsilon: float, result: Assignment
) -> dict[str, Any]:
    return {
        "objective": result.objective,
        "bound": _finite(result.bound),
        "gap": _finite(result.gap),
        "status": result.status,
        "seconds": result.seconds,
        "solver": result.solver,
        "num_features": problem.num_features,
        "per_class": problem.per_class,
        "epsilon": _finite(epsilon),
        "penalised_pairs": len(problem.pairs),
        "forced_in": problem.forced_in,
        "forced_out": problem.forced_out,
        "min_classes": problem.min_classes,
        "ternary": problem.ternary,
        "selected": result.selected,
    }


def _features_of(instance: FeatureInstance, result: Assignment) -> dict[str, Any]:
    """Which features each class has, by its name, and which it lacks where any does."""
    signs = np.asarray(result.assignment, np.int64)

    def of_sign(sign: int) -> dict[str, list[int]]:
        return {
            str(name): result.selected[row == sign].tolist()
            for name, row in zip(instance.classes.tolist(), signs, strict=True)
        }

    lacking = {"lacking": of_sign(-1)} if (signs < 0).any() else {}
    return {"classes": of_sign(1), **lacking}


def _finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None

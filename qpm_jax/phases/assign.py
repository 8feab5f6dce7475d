"""Phase 3: the quadratic program that picks the features and gives each class its k."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from ml_collections import ConfigDict

from qpm_jax import assignment, files
from qpm_jax.assignment import trace
from qpm_jax.datasets import Dataset
from qpm_jax.phases import one_process
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.setting import prepare
from qpm_jax.phases.statistics import read_statistics
from qpm_jax.training.progress import bar

logger = logging.getLogger(__name__)


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Writes `assign/assignment.npz` (selected, assignment) and `assignment.json`.

    `trace.csv` beside them holds incumbent and bound over time.

    Args:
      config: Every setting; `config.assign` is this phase's.
      workdir: Where the run lies; needs the phase `statistics`.
      dataset: The data set where it is loaded already; only its class count is used.

    Raises:
      ValueError: The statistics are missing, the program has no solution, or several
        hosts are to solve it.
      KeyboardInterrupt: It was interrupted; the files hold the best so far, and the
        phase is not done.
    """
    one_process.refuse_several_hosts("assign", workdir)
    setting = prepare(config, workdir, dataset)
    if not folders.has_work(setting.workdir, "assign"):
        return
    started = time.monotonic()
    statistics = read_statistics(setting.workdir)
    redundant = assignment.redundant_pairs(statistics.redundancy, config.num_features)
    penalised = bool(config.assign.redundancy)
    problem = assignment.AssignmentProblem(
        similarity=statistics.similarity,
        pairs=redundant.pairs if penalised else redundant.pairs[:0],
        weights=redundant.weights if penalised else redundant.weights[:0],
        bias=statistics.bias if config.assign.bias else None,
        num_features=config.num_features,
        per_class=config.per_class,
    )
    result, points = _solve(problem, config)
    folder = setting.workdir / "assign"
    files.write_arrays(
        folder / "assignment.npz",
        {"selected": result.selected, "assignment": result.assignment},
    )
    files.write_text(folder / "trace.csv", trace.as_csv(points))
    facts = {
        "objective": result.objective,
        "bound": result.bound,
        "gap": result.gap,
        "solver": result.solver,
        "status": result.status,
        "solve_seconds": result.seconds,
        "epsilon": redundant.epsilon,
        "penalised_pairs": len(problem.pairs),
    }
    files.write_json(folder / "assignment.json", facts)
    if result.status == "interrupted":
        # Solvers give what they have; what comes next is to stand on a finished solve.
        raise KeyboardInterrupt
    folders.mark_done(setting.workdir, "assign", time.monotonic() - started, **facts)


def read_assignment(
    workdir: Path,
) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, "C n"]]:
    """Returns (selected [n] sorted, assignment [C, n]) of a finished phase.

    Raises:
      ValueError: The phase is not done or its file is damaged.
    """
    folders.require(workdir, "assign")
    arrays = files.read_arrays(workdir / "assign" / "assignment.npz")
    return arrays["selected"], arrays["assignment"]


def _solve(
    problem: assignment.AssignmentProblem, config: ConfigDict
) -> tuple[assignment.Assignment, list[trace.TracePoint]]:
    """Solves with a bar that shows incumbent and bound; and how these went."""
    limit = config.assign.time_limit
    points: list[trace.TracePoint] = []
    with bar(round(limit), "assign") as progress:

        def show(incumbent: float, bound: float, seconds: float) -> None:
            trace.record(points, trace.TracePoint(seconds, incumbent, bound))
            passed = min(round(seconds), round(limit)) - progress.n
            if passed > 0:
                figures: dict[str, Any] = {"objective": incumbent, "bound": bound}
                shown = {name: f"{value:.4f}" for name, value in figures.items()}
                progress.set_postfix(shown, refresh=False)
                progress.update(passed)

        native = config.assign.solver == "native"
        options: dict[str, Any] = {"max_rounds": config.assign.max_rounds or None}
        if config.assign.restarts != 1:
            options["restarts"] = config.assign.restarts
        result = assignment.solve(
            problem,
            solver=config.assign.solver,
            **(options if native else {}),
            time_limit=limit,
            seed=config.seed,
            progress=show,
        )
    logger.info(
        "assign: objective %.4f, bound %.4f, gap %.2f %%, %s after %.1f s",
        *(result.objective, result.bound, 100 * result.gap),
        *(result.status, result.seconds),
    )
    return result, points

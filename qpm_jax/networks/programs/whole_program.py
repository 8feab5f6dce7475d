"""The whole program in the hands of a solver: what may be asked of it, and the call."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax import solvers
from qpm_jax.networks.programs.relu_rows import ENCODINGS
from qpm_jax.networks.run_record import RunRecord
from qpm_jax.solvers import MixedIntegerProgram, registry
from qpm_jax.solvers.solution import FEASIBILITY_TOLERANCE, evaluate

SOLVERS = ("highs", "scip", "gurobi")


def solve_whole(
    run: RunRecord[Any],
    program: MixedIntegerProgram,
    start: Float[np.ndarray, " V"],
    take: Callable[[Float[np.ndarray, " V"]], None],
    solver: str,
    threads: int | None,
    seed: int,
) -> str:
    """Solves a program in the time a run has left; the run hears all that is found.

    Args:
        run: of which the program is the whole.
        program: minimised.
        start: float64 [V], values to start from where they are feasible.
        take: told of the values of every incumbent, float64 [V], when it is found.
        solver: "highs", "scip" or "gurobi".
        threads: of the solver, None for its default.
        seed: of the solver.

    Returns:
        "interrupted" or "time_limit"; `RunRecord.solution` says more.
    """
    feasible = evaluate(program, start)[1] <= FEASIBILITY_TOLERANCE
    found = solvers.solve(
        program,
        solver,
        time_limit=run.left,
        gap=run.gap,
        threads=threads,
        seed=seed,
        warm_start=start if feasible else None,
        progress=lambda _, bound, __: run.hear(bound),
        incumbent=take,
    )
    if found.found:
        take(found.values)
    run.hear(found.bound)
    return "interrupted" if found.status == "interrupted" else "time_limit"


def check_settings(relu: str, solver: str, **limits: Any) -> None:
    """Refuses settings out of range.

    Args:
        relu: the encoding.
        solver: of the whole program.
        **limits: numbers of 0 or more, by name.

    Raises:
        ValueError: names the first.
    """
    for name, value, allowed in (
        ("relu", relu, ENCODINGS),
        ("solver", solver, SOLVERS),
    ):
        if value not in allowed:
            raise ValueError(
                f"{name} is {value!r}; choose one of {', '.join(allowed)}."
            )
    for name, value in limits.items():
        if not isinstance(value, int | float) or not value >= 0:
            raise ValueError(f"{name} is {value!r}; it must be 0 or more.")


def check_takes(family: str, relu: str, solver: str) -> None:
    """Refuses before the search what the solver of the whole program cannot take.

    Args:
        family: name of the deeper weights' family.
        relu: the encoding.
        solver: its name.

    Raises:
        ValueError: names the solvers that can.
    """
    for part, setting, needed in (
        ("indicators", "relu='indicator'", relu == "indicator"),
        ("bilinear", "deep_weights='bilinear'", family == "bilinear"),
    ):
        able = [name for name, info in registry.SOLVERS.items() if part in info.takes]
        if needed and solver not in able:
            raise ValueError(
                f"solver={solver!r} cannot take {setting}; choose {' or '.join(able)}."
            )

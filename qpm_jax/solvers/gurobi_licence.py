"""What Gurobi's licence from pip allows, and which limit a program hit."""

from typing import Any

from qpm_jax.solvers.program import MixedIntegerProgram

VARIABLES = 2000
ROWS = 2000
GENERAL_ROWS = 2000
QUADRATIC_VARIABLES = 200
# Gurobi's number for "model too large".
TOO_LARGE = 10010
NOTE = (
    f"{VARIABLES} variables, {ROWS} rows, {GENERAL_ROWS} indicator rows,"
    f" {QUADRATIC_VARIABLES} variables with a quadratic part or bilinear rows; a full"
    " licence is free for academics"
)


def explain(program: MixedIntegerProgram, error: Any) -> str:
    """Says in words why Gurobi refused, and which solver would do.

    Args:
        program: what was to be solved.
        error: a `GurobiError`.

    Returns:
        One message.
    """
    free = "solver='highs' or solver='scip'" if program.is_linear else "solver='scip'"
    if error.errno != TOO_LARGE:
        return f"solver='gurobi' failed: {error}. {free} needs no licence."
    hit = " and ".join(_limits_hit(program)) or (
        f"{program.num_variables} variables and {program.num_rows} rows, counting rows"
        " with two sides twice"
    )
    return (
        "solver='gurobi' has only the limited licence that comes with pip, and the"
        f" program has {hit}; {free} solves it without a licence. A full Gurobi licence"
        " lifts the limit."
    )


def _limits_hit(program: MixedIntegerProgram) -> list[str]:
    hit = []
    if program.num_variables > VARIABLES:
        hit.append(f"{program.num_variables} variables (limit {VARIABLES})")
    if program.num_rows > ROWS:
        hit.append(f"{program.num_rows} rows (limit {ROWS})")
    part = program.indicators
    if part is not None and part.num_sides > GENERAL_ROWS:
        hit.append(f"{part.num_sides} indicator rows (limit {GENERAL_ROWS})")
    if program.num_variables > QUADRATIC_VARIABLES:
        also = f" for {program.num_variables} variables (limit {QUADRATIC_VARIABLES})"
        if program.quadratic is not None:
            hit.append(f"a quadratic part{also}")
        if program.bilinear is not None:
            hit.append(f"bilinear rows{also}")
    return hit

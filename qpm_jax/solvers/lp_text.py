"""A linear program as LP text, every number in its shortest exact form."""

import math
from collections.abc import Iterator

from qpm_jax.solvers.program import MixedIntegerProgram

# Terms on one line; some readers end a line at a few hundred characters.
_PER_LINE = 10


def text(program: MixedIntegerProgram) -> str:
    """The whole file.

    Args:
        program: linear.

    Returns:
        LP text with columns c0, c1, … in order, each named in the objective, and rows
        r0, r1, …; one with two sides is written as r0lo and r0up.
    """
    columns = range(program.num_variables)
    lines = [
        "max" if program.maximise else "min",
        " obj: " + _sum(list(columns), program.objective.tolist()),
        "st",
        *_rows(program),
        "bounds",
        *_bounds(program),
        "gen",
        *(f" c{column}" for column in columns if program.integer[column]),
        "end",
    ]
    return "\n".join(lines) + "\n"


def _sum(columns: list[int], values: list[float]) -> str:
    terms = [
        f"{'-' if math.copysign(1, value) < 0 else '+'} {abs(value)!r} c{column}"
        for column, value in zip(columns, values, strict=True)
    ]
    return "\n ".join(
        " ".join(terms[start : start + _PER_LINE])
        for start in range(0, len(terms), _PER_LINE)
    )


def _rows(program: MixedIntegerProgram) -> Iterator[str]:
    starts = program.rows.indptr.tolist()
    columns, values = program.rows.indices.tolist(), program.rows.data.tolist()
    sides = zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
    for row, (low, high) in enumerate(sides):
        part = slice(starts[row], starts[row + 1])
        # An empty row is zero times some column.
        terms = _sum(columns[part] or [0], values[part] or [0.0])
        if low == high:
            yield f" r{row}: {terms} = {low!r}"
        elif math.isfinite(low) and math.isfinite(high):
            yield f" r{row}lo: {terms} >= {low!r}"
            yield f" r{row}up: {terms} <= {high!r}"
        elif math.isfinite(high):
            yield f" r{row}: {terms} <= {high!r}"
        else:
            yield f" r{row}: {terms} >= {'-inf' if math.isinf(low) else repr(low)}"


def _bounds(program: MixedIntegerProgram) -> Iterator[str]:
    """Both sides of every column: what a missing one means differs among readers."""
    lower, upper = program.lower.tolist(), program.upper.tolist()
    for column, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if low == high:
            yield f" c{column} = {low!r}"
        else:
            yield f" {_limit(low)} <= c{column} <= {_limit(high)}"


def _limit(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"{'+' if value > 0 else '-'}inf"

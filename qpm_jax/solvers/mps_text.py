"""A linear program as free MPS text, every number in its shortest exact form."""

import math
from collections.abc import Iterator

import numpy as np

from qpm_jax.solvers.program import MixedIntegerProgram

# Every reader takes it for infinite; a free row is one below it.
_INFINITE = "1e+31"


def text(program: MixedIntegerProgram) -> str:
    """The whole file.

    Args:
        program: linear.

    Returns:
        MPS text with columns c0, c1, … and rows r0, r1, … in order.
    """
    low, high = program.row_lower, program.row_upper
    kinds = np.where(low == high, "E", np.where(np.isfinite(high), "L", "G"))
    kinds = np.where(np.isinf(low) & np.isinf(high), "L", kinds)
    width, from_low = _widths(low, high)
    kinds = np.where(from_low, "G", kinds)
    lines = [
        "NAME program",
        "OBJSENSE",
        "    MAX" if program.maximise else "    MIN",
        "ROWS",
        " N obj",
        *(f" {kind} r{row}" for row, kind in enumerate(kinds.tolist())),
        "COLUMNS",
        *_columns(program),
        "RHS",
        *_sides(kinds, low, high),
        "RANGES",
        *(
            f" RNG r{row} {value!r}"
            for row, value in enumerate(width.tolist())
            if value == value  # NaN where there is one side
        ),
        "BOUNDS",
        *_bounds(program),
        "ENDATA",
    ]
    return "\n".join(lines) + "\n"


def _widths(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranges from which a reader computes the other side exactly, and from which side.

    A range is a width: high − width, or low + width, is rounded again. Of the three
    nearest widths, from either side, one gives back the other side in nearly all cases;
    where none does the side is one unit of the last place away.
    """
    width = np.full(len(low), np.nan)
    from_low = np.zeros(len(low), bool)
    two = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & (low != high))
    near = high[two] - low[two]
    width[two] = near
    open_ = np.ones(len(two), bool)
    for candidate in (near, np.nextafter(near, 0), np.nextafter(near, np.inf)):
        for upwards in (False, True):
            fits = (
                low[two] + candidate == high[two]
                if upwards
                else high[two] - candidate == low[two]
            )
            chosen = two[open_ & fits]
            width[chosen] = candidate[open_ & fits]
            from_low[chosen] = upwards
            open_ &= ~fits
    return width, from_low


def _columns(program: MixedIntegerProgram) -> Iterator[str]:
    matrix = program.rows.tocsc()
    starts = matrix.indptr.tolist()
    rows, values = matrix.indices.tolist(), matrix.data.tolist()
    costs, whole = program.objective.tolist(), program.integer.tolist()
    inside = False
    for column, cost in enumerate(costs):
        if whole[column] != inside:
            inside = not inside
            yield f" M{column} 'MARKER' '{'INTORG' if inside else 'INTEND'}'"
        # Written also where it is 0, so that no column is left out.
        yield f" c{column} obj {cost!r}"
        start, end = starts[column], starts[column + 1]
        for row, value in zip(rows[start:end], values[start:end], strict=True):
            yield f" c{column} r{row} {value!r}"
    if inside:
        yield " MEND 'MARKER' 'INTEND'"


def _sides(kinds: np.ndarray, low: np.ndarray, high: np.ndarray) -> Iterator[str]:
    side = np.where(kinds == "L", high, low)
    for row, value in enumerate(side.tolist()):
        if value:
            number = repr(value) if math.isfinite(value) else _INFINITE
            yield f" RHS r{row} {number}"


def _bounds(program: MixedIntegerProgram) -> Iterator[str]:
    """Both sides of every column: what a missing one means differs among readers."""
    lower, upper = program.lower.tolist(), program.upper.tolist()
    for column, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if low == high:
            yield f" FX BND c{column} {low!r}"
            continue
        yield f" MI BND c{column}" if low == -np.inf else f" LO BND c{column} {low!r}"
        yield f" PL BND c{column}" if high == np.inf else f" UP BND c{column} {high!r}"

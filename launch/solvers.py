"""Prints which solvers are there, their versions, licences and what they take.

python -m launch.solvers
"""

from collections.abc import Iterable

from launch import app
from qpm_jax import solvers

HEADINGS = ("name", "version", "licence", "takes", "note")


def table(found: Iterable[solvers.SolverInfo]) -> str:
    """One line a solver, columns aligned.

    Args:
        found: what `solvers.available()` returns.

    Returns:
        The table with its headings.
    """
    rows = [HEADINGS] + [
        (
            info.name,
            info.version or "-",
            info.licence,
            ", ".join(("linear", "integer", *info.takes)),
            info.note,
        )
        for info in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def main() -> None:
    """Prints the table."""
    print(table(solvers.available()))


if __name__ == "__main__":
    app.run(main)

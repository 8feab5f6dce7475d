"""The process in which one restart of the native solver runs: a problem in, news out.

Started by `restarts`; both directions are pickles.
"""

import pickle
import sys
from typing import Any, BinaryIO

from qpm_jax.assignment.native import solve_native
from qpm_jax.solvers.private_output import private_output


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Reads a problem, the seconds left and the options, and solves it."""
    problem, seconds, options = pickle.load(source)

    def send(kind: str, content: Any) -> None:
        pickle.dump((kind, content), target)
        target.flush()

    def report(objective: float, bound: float, _: float) -> None:
        send("news", (objective, bound))

    send("answer", solve_native(problem, seconds, progress=report, **options))


if __name__ == "__main__":
    main(sys.stdin.buffer, private_output())

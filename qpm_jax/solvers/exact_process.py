"""The process in which Exact runs: a program in, news out after every slice of time.

Started by `exact` as a script, so that it need not wait for the bridge's imports; both
directions are pickles of lists and numbers.
"""

import pickle
import sys
from typing import Any, BinaryIO

from qpm_jax.private_output import private_output

_FIRST_SLICE, _LONGEST_SLICE = 0.25, 8.0  # seconds between news


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Reads the program, solves it slice by slice, and tells of each."""
    import exact

    program = pickle.load(source)
    solver = exact.Exact([("verbosity", "0"), ("seed", str(program["seed"]))])
    names = build(solver, program)
    seconds = _FIRST_SLICE
    while True:
        state = solver.runFull(True, seconds)
        seconds = min(2 * seconds, _LONGEST_SLICE)
        news = _news(solver, names, state)
        # Also where nothing is new: a parent that is gone ends this process here.
        pickle.dump(news, target)
        target.flush()
        if news["status"] != "time_limit":
            return


def build(solver: Any, program: dict[str, Any]) -> list[str]:
    """Hands the program over, one variable and one row at a time.

    Args:
        solver: an `exact.Exact`.
        program: as `solvers.exact` sends it.

    Returns:
        The variables' names, in order.
    """
    names = [f"x{index}" for index in range(len(program["objective"]))]
    for name, low, high in zip(names, program["lower"], program["upper"], strict=True):
        solver.addVariable(name, low, high)
    starts = program["starts"]
    for row, (low, high) in enumerate(
        zip(program["row_lower"], program["row_upper"], strict=True)
    ):
        places = range(starts[row], starts[row + 1])
        terms = [(program["numbers"][k], names[program["columns"][k]]) for k in places]
        solver.addConstraint(
            terms, low is not None, low or 0, high is not None, high or 0
        )
    costs = zip(program["objective"], names, strict=True)
    solver.setObjective([(cost, name) for cost, name in costs if cost], True, 0)
    if program["hints"] is not None:
        hints = zip(names, program["hints"], strict=True)
        solver.setSolutionHints([pair for pair in hints if pair[1] is not None])
    return names


def _news(solver: Any, names: list[str], state: str) -> dict[str, Any]:
    found = solver.hasSolution()
    status = "time_limit"
    if state != "TIMEOUT":
        status = "optimal" if found else "infeasible"
    return {
        "status": status,
        "values": solver.getLastSolutionFor(names) if found else None,
        "bound": int(solver.getDualBound()) if found else None,
    }


if __name__ == "__main__":
    main(sys.stdin.buffer, private_output())

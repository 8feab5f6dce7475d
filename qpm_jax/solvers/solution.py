"""What a solver returns, evaluated again outside that solver."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.solvers.parts import bilinear_activity
from qpm_jax.solvers.program import MixedIntegerProgram

# Violations up to this, relative to a row's size, are a solver's usual tolerance.
FEASIBILITY_TOLERANCE = 1e-5
INTEGRALITY_TOLERANCE = 1e-5
# Values that break rows and bounds by as much as the tolerance above may be better than
# a true bound by as large a part of the objective's terms; more is a solver's mistake.
BOUND_TOLERANCE = 1e-5

STATUSES = (
    "optimal",
    "gap_reached",
    "time_limit",
    "stalled",
    "interrupted",
    "infeasible",
    "unbounded",
)


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer of a solver.

    Attributes:
        values: float64 [V], integer entries exactly integral; NaN where none was found.
        objective: of `values`, evaluated outside the solver; ∓inf where none was found.
        bound: no solution is better than this; ±inf where unknown.
        gap: |bound − objective| / max(|objective|, 1e-12).
        seconds: wall-clock time of the solve, building included.
        solver: name of the solver.
        status: one of `STATUSES`.
    """

    values: Float[np.ndarray, " V"]
    objective: float
    bound: float
    gap: float
    seconds: float
    solver: str
    status: str

    @property
    def found(self) -> bool:
        """Whether there are values."""
        return bool(np.isfinite(self.objective))


@dataclass(frozen=True, eq=False)
class RawAnswer:
    """What a solver says before it is checked.

    Attributes:
        values: float64 [V], or None where nothing was found.
        bound: the solver's dual bound, ±inf where it has none.
        status: one of `STATUSES`.
    """

    values: Float[np.ndarray, " V"] | None
    bound: float
    status: str


def evaluate(
    program: MixedIntegerProgram, values: Float[np.ndarray, " V"]
) -> tuple[float, float]:
    """Objective and largest violation of any row, bound or integrality.

    Args:
        program: the program; indicator and bilinear rows are checked as well.
        values: float64 [V].

    Returns:
        The objective, and the violation relative to max(1, |limit|).
    """
    objective = float(program.objective @ values)
    if program.quadratic is not None:
        objective += float(values @ (program.quadratic @ values))
    violation = max(
        _violation(program.row_lower, program.rows @ values, program.row_upper),
        _violation(program.lower, values, program.upper),
    )
    whole = values[program.integer]
    if whole.size:
        violation = max(violation, float(np.abs(whole - np.round(whole)).max()))
    part = program.indicators
    if part is not None:
        active = (values[part.variable] > 0.5) == part.value
        activity = (part.rows @ values)[active]
        violation = max(
            violation, _violation(part.lower[active], activity, part.upper[active])
        )
    if program.bilinear is not None:
        activity = bilinear_activity(program.bilinear, values)
        violation = max(
            violation,
            _violation(program.bilinear.lower, activity, program.bilinear.upper),
        )
    return objective, violation


def make_solution(
    program: MixedIntegerProgram, answer: RawAnswer, seconds: float, solver: str
) -> Solution:
    """Rounds, checks and evaluates an answer.

    Args:
        program: the program solved.
        answer: what the solver said.
        seconds: wall-clock time spent.
        solver: its name.

    Returns:
        The checked `Solution`.

    Raises:
        RuntimeError: when the values break the program, or are better than the bound,
            by more than the tolerance.
    """
    sign = 1.0 if program.maximise else -1.0
    if answer.values is None:
        values = np.full(program.num_variables, np.nan)
        return Solution(
            values, -sign * np.inf, answer.bound, np.inf, seconds, solver, answer.status
        )
    values = _rounded(program, np.array(answer.values, np.float64))
    objective, violation = evaluate(program, values)
    if violation > FEASIBILITY_TOLERANCE:
        raise RuntimeError(
            f"{solver} returned values that break the program by {violation:.3g},"
            f" more than the tolerance {FEASIBILITY_TOLERANCE:g}."
        )
    bound = _checked_bound(program, values, objective, float(answer.bound), solver)
    gap = relative_gap(objective, bound)
    return Solution(values, objective, bound, gap, seconds, solver, answer.status)


def better(program: MixedIntegerProgram, first: Solution, second: Solution) -> Solution:
    """The solution of better objective, with the tighter of both bounds.

    Args:
        program: the program of both.
        first: keeps its solver, status and seconds.
        second: may lend its values.

    Returns:
        `first` with the better values and bound.

    Raises:
        RuntimeError: when `second` is better than the bound of `first` by more than the
            tolerance.
    """
    sign = 1.0 if program.maximise else -1.0
    best = first if sign * (first.objective - second.objective) >= 0 else second
    bound = min(sign * first.bound, sign * second.bound) * sign
    if best.found:
        bound = _checked_bound(
            program, best.values, best.objective, bound, first.solver
        )
    return dataclasses.replace(
        first,
        values=best.values,
        objective=best.objective,
        bound=bound,
        gap=relative_gap(best.objective, bound),
    )


def relative_gap(objective: float, bound: float) -> float:
    """|bound − objective| / max(|objective|, 1e-12); inf where one is missing.

    Args:
        objective: of a solution, ±inf for none.
        bound: ±inf for none.
    """
    if not (np.isfinite(objective) and np.isfinite(bound)):
        return float(np.inf)
    return abs(bound - objective) / max(abs(objective), 1e-12)


def _checked_bound(
    program: MixedIntegerProgram,
    values: np.ndarray,
    objective: float,
    bound: float,
    solver: str,
) -> float:
    """The bound, moved to the objective where that is better within the tolerance."""
    excess = objective - bound if program.maximise else bound - objective
    if not excess > 0:
        return bound
    terms = np.abs(values)
    scale = float(np.abs(program.objective) @ terms)
    if program.quadratic is not None:
        scale += float(terms @ (abs(program.quadratic) @ terms))
    if excess > BOUND_TOLERANCE * max(1.0, scale):
        raise RuntimeError(
            f"{solver} claims that nothing is better than {bound:.10g}, but there is a"
            f" feasible solution of {objective:.10g}: its bound is wrong. Solve with"
            " another solver, and report this program to its makers"
            " (solvers.write saves it)."
        )
    return objective


def _rounded(program: MixedIntegerProgram, values: np.ndarray) -> np.ndarray:
    """Exact integers and exact bounds, if no row breaks by that."""
    clean = values.copy()
    near = program.integer & (
        np.abs(values - np.round(values)) <= INTEGRALITY_TOLERANCE
    )
    clean[near] = np.round(values[near])
    clean = np.clip(clean, program.lower, program.upper)
    if evaluate(program, clean)[1] <= FEASIBILITY_TOLERANCE:
        return clean
    return values


def _violation(lower: np.ndarray, activity: np.ndarray, upper: np.ndarray) -> float:
    return max(_excess(lower - activity, lower), _excess(activity - upper, upper))


def _excess(difference: np.ndarray, limit: np.ndarray) -> float:
    finite = np.isfinite(limit)
    if not finite.any():
        return 0.0
    scale = np.maximum(1.0, np.abs(limit[finite]))
    return float(max(0.0, (difference[finite] / scale).max()))

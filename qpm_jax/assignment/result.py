"""What a solver of the assignment problem returns, checked outside that solver."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.solvers.solution import relative_gap

# A gap below this is rounding: the optimum is proven.
PROVEN = 1e-7
# A bound may lie below the objective by this fraction of it: solvers' tolerances.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Assignment:
    """A selection, an assignment and how good they are known to be.

    Attributes:
        selected: int64 [n], the selected features, sorted.
        assignment: bool [C, n], which selected features describe a class; for a ternary
            problem int8 in {−1, 0, 1}, −1 where a class lacks what a feature shows.
        objective: Z (docs/formulas.md, Objective), evaluated in float64.
        bound: no solution is better than this; inf where nothing is known.
        gap: |bound − objective| / max(|objective|, 1e-12).
        seconds: wall-clock time of the solve, compilation included.
        solver: name of the solver.
        status: "optimal", "gap_reached", "time_limit", "stalled" or "interrupted".
    """

    selected: Int[np.ndarray, " n"]
    assignment: Bool[np.ndarray, "C n"] | Int[np.ndarray, "C n"]
    objective: float
    bound: float
    gap: float
    seconds: float
    solver: str
    status: str


def check(
    problem: AssignmentProblem,
    selected: Int[np.ndarray, " n"],
    assignment: Bool[np.ndarray, "C n"] | Int[np.ndarray, "C n"],
) -> None:
    """Raises when a solution breaks a constraint (docs/formulas.md, Constraints).

    Ternary rows must carry the signs of A and may share features if those differ:
    `AssignmentProblem` states it.

    Args:
        problem: the problem solved.
        selected: int [n], sorted.
        assignment: bool [C, n], or int8 in {−1, 0, 1} where ternary.

    Raises:
        RuntimeError: naming the constraint; it means a solver's answer is wrong.
    """
    broken = []
    if len(selected) != problem.num_features or len(set(selected.tolist())) != len(
        selected
    ):
        broken.append(f"{problem.num_features} different features are selected")
    if (np.diff(selected) <= 0).any():
        broken.append("the selection is sorted")
    taken = assignment != 0
    if not np.array_equal(assignment, problem.signed(selected, taken)):
        broken.append("every entry is 0 or has the sign of the problem")
    if not (taken.sum(axis=1) == problem.class_sizes).all():
        broken.append("every class has exactly its number of features")
    if len(np.unique(assignment, axis=0)) != len(assignment):
        broken.append("no two classes are equal")
    if (taken.sum(axis=0) < problem.min_classes).any():
        broken.append("every selected feature serves min_classes classes")
    if not set(problem.forced_in) <= set(selected.tolist()):
        broken.append("forced_in is selected")
    if set(problem.forced_out) & set(selected.tolist()):
        broken.append("forced_out is not selected")
    if broken:
        raise RuntimeError(f"a solver's answer breaks: {'; '.join(broken)}.")


def make_assignment(
    problem: AssignmentProblem,
    selected: Int[np.ndarray, " n"],
    assignment: Bool[np.ndarray, "C n"] | Int[np.ndarray, "C n"],
    bound: float,
    seconds: float,
    solver: str,
    status: str,
) -> Assignment:
    """Sorts, checks and evaluates a solution.

    Args:
        problem: the problem solved.
        selected: int [n] in any order.
        assignment: [C, n], columns as in `selected`; bool says which features are taken
            (a ternary problem adds its signs), integers are taken as they are.
        bound: an upper bound on Z; raised to Z where rounding puts it below.
        seconds: wall-clock time spent.
        solver: name of the solver.
        status: why it ended.

    Returns:
        The checked `Assignment`.

    Raises:
        RuntimeError: when a constraint is broken, or the bound lies below Z by more
            than rounding: then it bounds nothing.
    """
    order = np.argsort(selected)
    selected = np.asarray(selected, np.int64)[order]
    assignment = np.asarray(assignment)[:, order]
    if assignment.dtype == bool:
        assignment = problem.signed(selected, assignment)
    elif not problem.ternary and np.isin(assignment, (0, 1)).all():
        assignment = assignment.astype(bool)
    check(problem, selected, assignment)
    objective = problem.objective(selected, assignment)
    if bound < objective - ROUNDING * abs(objective):
        raise RuntimeError(
            f"{solver} says that nothing is better than {bound:.9g}, but its own"
            f" solution is worth {objective:.9g}: its bound is wrong."
        )
    bound = max(float(bound), objective)
    return Assignment(
        selected=selected,
        assignment=assignment,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        seconds=float(seconds),
        solver=solver,
        status=status,
    )

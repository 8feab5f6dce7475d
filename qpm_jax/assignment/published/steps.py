"""One step of the published scheme: solve its model, then demand what is missing.

docs/formulas.md, The published iterative relaxation. Classes that came out short get a
budget of their own; once none is short, classes that came out equal must differ.
"""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from qpm_jax.assignment.exact_model import decode
from qpm_jax.assignment.native import refine
from qpm_jax.assignment.native.solver import first_incumbent
from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.published.model import (
    Demands,
    Pair,
    build_relaxed,
    encode_relaxed,
)
from qpm_jax.assignment.published.repair import equal_pairs, repair
from qpm_jax.assignment.uniqueness import top_features
from qpm_jax.solvers import MixedIntegerProgram, Solution
from qpm_jax.solvers.options import Progress
from qpm_jax.solvers.solution import FEASIBILITY_TOLERANCE, evaluate


@dataclass(frozen=True, eq=False)
class SchemeState:
    """What the last solve found, and the demands on the next.

    Attributes:
        selected: int64 [n].
        taken: bool [C, n]; rows may be short or equal until the scheme has finished.
        start: bool [C, n], another assignment of `selected` to start the next solve.
        demands: on the next solve.
        all_features: whether budgets count all features or those ever selected.
        bound: upper bound on Z, from the solves that relax the problem.
        finished: whether the last solve met all demands there can be.
    """

    selected: Int[np.ndarray, " n"]
    taken: Bool[np.ndarray, "C n"]
    start: Bool[np.ndarray, "C n"]
    demands: Demands
    all_features: bool
    bound: float = np.inf
    finished: bool = False

    @property
    def relaxes(self) -> bool:
        """Whether the next model allows every solution of the problem.

        Budgets on the features ever selected forbid some, and so may differences on a
        part of the features.
        """
        whole = self.all_features or not self.demands.short.any()
        return whole and not self.demands.apart


def first_state(problem: AssignmentProblem, all_features: bool) -> SchemeState:
    """Before the first solve: no demands, and a selection to start from.

    Args:
        problem: the problem.
        all_features: whether budgets count all features or those ever selected.

    Returns:
        The state.
    """
    features, classes = problem.similarity.shape
    selected = first_incumbent(problem, refine.host_arrays(problem)).selected
    taken = top_features(problem.values[:, selected], problem.class_sizes)
    demands = Demands(np.zeros(classes, bool), np.full(features, all_features))
    return SchemeState(selected, taken, taken, demands, all_features)


def solve_step(
    problem: AssignmentProblem,
    state: SchemeState,
    run: Callable[..., Solution],
    time_limit: float,
    progress: Progress | None = None,
) -> Solution:
    """Solves the model with the demands of a state.

    Args:
        problem: the problem.
        state: the demands, and a start where that meets them.
        run: `solvers.solve` with solver, gap, threads and seed set.
        time_limit: seconds.
        progress: called with (objective, bound, seconds).

    Returns:
        A solution whose x is 0 or 1.
    """
    started = time.perf_counter()
    program = build_relaxed(problem, state.demands)
    start = encode_relaxed(problem, state.demands, state.selected, state.start)
    if evaluate(program, start)[1] > FEASIBILITY_TOLERANCE:
        start = None
    solution = run(program, time_limit=time_limit, warm_start=start, progress=progress)
    if not solution.found or _is_whole(problem, solution):
        return solution
    left = max(1.0, time_limit - (time.perf_counter() - started))
    whole = run(_fixed(problem, program, solution), time_limit=left)
    return replace(solution, values=whole.values, objective=whole.objective)


def _is_whole(problem: AssignmentProblem, solution: Solution) -> bool:
    used = decode(problem, solution.values)[1]
    return bool((np.abs(used - np.round(used)) < FEASIBILITY_TOLERANCE).all())


def _fixed(
    problem: AssignmentProblem, program: MixedIntegerProgram, solution: Solution
) -> MixedIntegerProgram:
    """The same selection with x integer: where x is tied a solver may share it out."""
    features, classes = problem.similarity.shape
    chosen = np.round(solution.values[:features])
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[:features] = upper[:features] = chosen
    integer = program.integer.copy()
    integer[features : features + classes * features] = True
    return dataclasses.replace(program, lower=lower, upper=upper, integer=integer)


def next_state(
    problem: AssignmentProblem, state: SchemeState, solution: Solution
) -> SchemeState:
    """What a solve changes: the selection, the bound and the demands.

    Args:
        problem: the problem.
        state: before the solve.
        solution: of `solve_step`.

    Returns:
        The state after it; finished when the demands are as before and nothing is left
        to demand.
    """
    if not solution.found:
        return _widened(state) if solution.status == "infeasible" else state
    bound = min(state.bound, solution.bound) if state.relaxes else state.bound
    selected, used = decode(problem, solution.values)
    taken, values = used > 0.5, problem.values[:, selected]
    before = state.demands
    counted = before.counted.copy()
    counted[selected] = True
    short = taken.sum(axis=1) < problem.class_sizes
    full = top_features(values, problem.class_sizes) if short.any() else taken
    start = repair(values, full)
    apart = dict(before.apart)
    if not short.any():
        for pair in equal_pairs(taken):
            used_by_both = selected[start[list(pair)].any(axis=0)]
            known = apart.get(pair, ())
            apart[pair] = tuple(sorted({*known, *used_by_both.tolist()}))
    demands = Demands(before.short | short, counted, _with_room(apart, counted))
    same = demands.apart == before.apart and np.array_equal(demands.short, before.short)
    grown = demands.short.any() and not np.array_equal(counted, before.counted)
    finished = same and not grown
    return SchemeState(
        selected, taken, start, demands, state.all_features, bound, finished
    )


def _with_room(
    apart: dict[Pair, tuple[int, ...]], counted: Bool[np.ndarray, " F"]
) -> dict[Pair, tuple[int, ...]]:
    """Pairs that share too few features to all differ there may differ on all of them.

    As published: more than 2^|features| pairs on the same features.
    """
    sharing = Counter(apart.values())
    everything = tuple(np.flatnonzero(counted).tolist())
    return {
        pair: everything if sharing[features] > 2 ** len(features) else features
        for pair, features in apart.items()
    }


def _widened(state: SchemeState) -> SchemeState:
    """Lets all pairs differ on any feature: parts of them can leave no solution.

    The published code has no way out here.
    """
    everything = tuple(range(len(state.demands.counted)))
    apart = dict.fromkeys(state.demands.apart, everything)
    if apart == state.demands.apart:
        raise RuntimeError(
            "the exact solver finds no solution where the last selection has one."
        )
    return replace(state, demands=replace(state.demands, apart=apart))

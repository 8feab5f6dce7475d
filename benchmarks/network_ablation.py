"""Gap of the program that trains a dense network, with each part of it left out.

Run: `python -m benchmarks.network_ablation [--tables=iris,wine,wbc] [--seconds=300]
[--width=4] [--instances=0]`, with few of both for programs that a solver gets through.

All arms have the first split of a table, one hidden layer, one l1 price and the same
network to start from. "base" is big-M rows whose M knows the start's objective, and
ordered neurons; every other arm of the same solver changes one thing. "bound by pairs"
and "bound by neurons" do not hand the whole program to a solver. One arm after another,
on one thread.
"""

import argparse
import time
from collections.abc import Callable

from qpm_jax import solvers
from qpm_jax.networks.bounds.by_neurons.bound import neuron_bound
from qpm_jax.networks.bounds.intervals import PreactivationBounds, interval_bounds
from qpm_jax.networks.bounds.path_bound import path_bound
from qpm_jax.networks.bounds.tightening import tightened_bounds
from qpm_jax.networks.experiments.choice import Candidate, make_problem
from qpm_jax.networks.experiments.measurements import load, split
from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.programs.program_values import read_network, write_network
from qpm_jax.networks.solve import solve
from qpm_jax.solvers.solution import relative_gap

TEST_SHARE = 0.25
# Of the seconds of the arm that has it.
TIGHTENING_SHARE = 0.3
# For the network that all arms start from.
START_SECONDS = 20.0

Found = tuple[float, float]  # objective and bound
Arm = Callable[[NetworkProblem, ReLUNetwork, float], Found]


def known(problem: NetworkProblem, start: ReLUNetwork, _: float) -> PreactivationBounds:
    return interval_bounds(problem, problem.objective(start))


def unknown(problem: NetworkProblem, *_: object) -> PreactivationBounds:
    return interval_bounds(problem)


def tightened(
    problem: NetworkProblem, start: ReLUNetwork, seconds: float
) -> PreactivationBounds:
    return tightened_bounds(
        problem,
        known(problem, start, seconds),
        problem.objective(start),
        TIGHTENING_SHARE * seconds,
    )


def program_arm(
    solver: str = "highs",
    relu: str = "big_m",
    bounds: Callable[..., PreactivationBounds] = known,
    ordered: bool = True,
) -> Arm:
    """Returns an arm that gives the whole program to a solver."""

    def run(problem: NetworkProblem, start: ReLUNetwork, seconds: float) -> Found:
        began = time.perf_counter()
        made = build_dense(
            problem,
            relu,
            bounds(problem, start, seconds),
            quadratic=solver != "highs",
            ordered=ordered,
        )
        found = solvers.solve(
            made.program,
            solver,
            time_limit=seconds - (time.perf_counter() - began),
            threads=1,
            warm_start=write_network(made, start),
        )
        objective = problem.objective(start)
        if found.found:
            reached = problem.objective(read_network(made, found.values))
            objective = min(objective, reached)
        return objective, max(0.0, found.bound)

    return run


def pairs(problem: NetworkProblem, start: ReLUNetwork, seconds: float) -> Found:
    return problem.objective(start), path_bound(problem, seconds)


def neurons(problem: NetworkProblem, start: ReLUNetwork, seconds: float) -> Found:
    objective = problem.objective(start)
    return objective, neuron_bound(problem, objective, seconds)


ARMS: dict[str, Arm] = {
    "base": program_arm(),
    "M without the objective": program_arm(bounds=unknown),
    "M tightened by linear programs": program_arm(bounds=tightened),
    "partitioned": program_arm(relu="partitioned"),
    "neurons in any order": program_arm(ordered=False),
    "base by SCIP": program_arm("scip"),
    "indicators by SCIP": program_arm("scip", relu="indicator"),
    "partitioned by SCIP": program_arm("scip", relu="partitioned"),
    "bound by pairs": pairs,
    "bound by neurons": neurons,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="iris,wine,wbc")
    parser.add_argument("--seconds", type=float, default=300.0, help="for each arm")
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--l1", type=float, default=0.01)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--instances", type=int, default=0, help="0: all that train")
    arguments = parser.parse_args()
    print(f"{'table':8}{'arm':34}{'objective':>10}{'bound':>10}{'gap':>8}{'s':>8}")
    for table in arguments.tables.split(","):
        source = load(table)
        part = split(source.features, source.labels, TEST_SHARE, seed=0)
        candidate = Candidate(arguments.width, arguments.l1, 0.0)
        kept = slice(arguments.instances or None)
        problem = make_problem(
            part.features[kept], part.labels[kept], candidate, "one_hot", "grid"
        )
        start = solve(problem, time_limit=START_SECONDS, threads=1).network
        for name in arguments.arms.split(","):
            began = time.perf_counter()
            objective, bound = ARMS[name](problem, start, arguments.seconds)
            spent = time.perf_counter() - began
            gap = relative_gap(objective, bound)
            print(
                f"{table:8}{name:34}{objective:10.4f}{bound:10.4f}{gap:8.1%}{spent:8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

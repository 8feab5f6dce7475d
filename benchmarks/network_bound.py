"""How close to a network of one hidden layer the bound by neurons comes, and when.

Run: `python -m benchmarks.network_bound [--table=iris] [--seed=0] [--width=4]
[--l1=0.01] [--l2=0.03] [--training=60] [--seconds=300]`

The network is found by gradients and search alone, in `--training` seconds; then bounds
are sought for `--seconds`, on one thread, and printed as the gap passes every mark.
"""

import argparse
import time

from benchmarks.network_ablation import TEST_SHARE
from qpm_jax.networks.bounds.by_neurons.bound import neuron_bound
from qpm_jax.networks.bounds.path_bound import path_bound
from qpm_jax.networks.experiments.choice import Candidate, make_problem
from qpm_jax.networks.experiments.measurements import load, split
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.solve import SEARCH_SHARE, solve
from qpm_jax.solvers.solution import relative_gap

MARKS = (0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02, 0.01)


def course(problem: NetworkProblem, objective: float, seconds: float) -> float:
    """Prints when the gap passes each mark, and returns the last bound."""
    began, open_marks = time.perf_counter(), list(MARKS)

    def hear(bound: float) -> None:
        gap = relative_gap(objective, bound)
        passed = [mark for mark in open_marks if gap <= mark]
        if passed:
            spent = time.perf_counter() - began
            print(f"  gap {gap:6.1%} after {spent:6.1f} s", flush=True)
        open_marks[:] = [mark for mark in open_marks if gap > mark]

    return neuron_bound(problem, objective, seconds, hear=hear)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", default="iris", help="iris, wine or wbc")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--l1", type=float, default=0.01)
    parser.add_argument("--l2", type=float, default=0.03)
    parser.add_argument("--training", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=300.0)
    arguments = parser.parse_args()
    source = load(arguments.table)
    part = split(source.features, source.labels, TEST_SHARE, arguments.seed)
    candidate = Candidate(arguments.width, arguments.l1, arguments.l2)
    problem = make_problem(part.features, part.labels, candidate, "one_hot", "grid")
    found = solve(problem, time_limit=arguments.training / SEARCH_SHARE, gap=1.0)
    objective, pairs = found.objective, path_bound(problem)
    print(f"{arguments.table}: objective {objective:.4f}")
    print(f"  gap {relative_gap(objective, pairs):6.1%} by pairs", flush=True)
    bound = course(problem, objective, arguments.seconds)
    print(f"  bound {bound:.4f}, gap {relative_gap(objective, bound):.1%}")


if __name__ == "__main__":
    main()

"""The assignment solvers: exactness, objective, bound and time, section by section.

Run: `python -m benchmarks.assignment` (all), or `--sections=small,real` of

small   published instances and 300 random ones up to 20x6: native against the optimum
medium  random 60x20 and 128x40, a tenth of the pairs penalised: native against SCIP
real    1280 features of CUB-50 and tiny-imagenet-200 (needs the shared folder)
scale   synthetic clustered classes at the paper's sizes
side    every solver on the same instance

`--count` sets how many medium instances, `--seconds` the limit of an exact solver.
"""

import argparse
import time

import numpy as np

from benchmarks import assignment_instances as instances
from qpm_jax import assignment, solvers
from qpm_jax.assignment import Assignment, AssignmentProblem, enumeration, refine


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sections", default="small,medium,real,scale,side")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3600.0)
    arguments = parser.parse_args()
    for name in arguments.sections.split(","):
        print(f"\n== {name}", flush=True)
        SECTIONS[name](arguments.count, arguments.seconds)


def small(count: int, seconds: float) -> None:
    """Native, without its full enumeration, against the optimum by enumeration."""
    del count, seconds
    known = instances.golden()
    right = sum(_reaches(problem, optimum) for _, problem, optimum in known)
    print(f"published instances: {right} of {len(known)} optimal")
    random = np.random.default_rng(0)
    right = 0
    for seed in range(300):
        features = int(random.integers(8, 21))
        classes = int(random.integers(3, 7))
        number = int(random.integers(5, 8))
        size = int(random.integers(2, 4))
        problem = instances.random_problem(seed, features, classes, number, size)
        host = refine.host_arrays(problem)
        first = np.arange(number)
        optimum = enumeration.best_selection(host, first)[1]
        right += _reaches(problem, optimum)
    print(f"random instances up to 20x6: {right} of 300 optimal", flush=True)


def _reaches(problem: AssignmentProblem, optimum: float) -> bool:
    found = assignment.solve(problem, enumerate_small=False, price_steps=0)
    return found.objective >= optimum - 1e-9 * abs(optimum)


def medium(count: int, seconds: float) -> None:
    """Native against optima that SCIP proves."""
    for shape in ((60, 20, 10, 3), (128, 40, 16, 5)):
        reached = proven = 0
        spent = []
        for seed in range(count):
            problem = instances.random_problem(seed, *shape)
            native = assignment.solve(problem, time_limit=20.0, price_steps=0)
            exact = assignment.solve(problem, "scip", time_limit=seconds)
            proven += exact.status == "optimal"
            reached += native.objective >= exact.objective * (1 - 1e-9)
            spent.append((native.seconds, exact.seconds))
        typical = np.median(spent, axis=0)
        print(
            f"{shape[0]}x{shape[1]}: native as good or better in {reached} of {count}, "
            f"{proven} proven by SCIP; median {typical[0]:.2f} and {typical[1]:.1f} s",
            flush=True,
        )


def real(count: int, seconds: float) -> None:
    """Ten and sixty seconds of native search on real features, against HiGHS."""
    del count
    for name in instances.REAL:
        problem = instances.real_problem(name)
        if problem is None:
            print(f"{name}: not there")
            continue
        print(f"{name}: {len(problem.weights)} pairs penalised")
        plain = assignment.solve(problem, time_limit=10.0, price_steps=0)
        _tell("native, no prices", plain)
        for limit in (10.0, 60.0):
            _tell("native", assignment.solve(problem, time_limit=limit))
        for solver in ("highs", "scip"):
            _tell(solver, assignment.solve(problem, solver, time_limit=seconds))


def scale(count: int, seconds: float) -> None:
    """The paper's sizes: what a short search leaves to a long one."""
    del count, seconds
    for features, classes, short, long in (
        (2048, 200, 5.0, 600.0),
        (2048, 1000, 30.0, 600.0),
        (2048, 21_841, 600.0, 3600.0),
    ):
        problem = instances.clustered_problem(features, classes)
        print(f"{features}x{classes}")
        # The first solve compiles.
        _tell("compiling", assignment.solve(problem, time_limit=1.0))
        found = assignment.solve(problem, time_limit=short, price_steps=0)
        _tell("short", found)
        best = assignment.solve(problem, time_limit=long, patience=10**6)
        _tell("long", best)
        print(f"  short is {100 * (best.objective / found.objective - 1):.3f} % below")


def side(count: int, seconds: float) -> None:
    """Every solver on the same instances."""
    del count
    able = {"native", "published"} | {
        info.name for info in solvers.available() if info.licence != "missing"
    }
    for shape in ((20, 6, 6, 2), (60, 20, 10, 3)):
        problem = instances.random_problem(0, *shape)
        print(f"{shape[0]}x{shape[1]}")
        for solver in sorted(able):
            try:
                found = assignment.solve(problem, solver, time_limit=min(seconds, 120))
            except ValueError as error:
                print(f"  {solver:10} {error}")
                continue
            _tell(solver, found)


def _tell(name: str, found: Assignment) -> None:
    print(
        f"  {name:18} Z {found.objective:10.4f}  bound {found.bound:10.4f}  gap "
        f"{100 * found.gap:6.2f} %  {found.seconds:7.1f} s  {found.status}  "
        f"{time.strftime('%H:%M:%S')}",
        flush=True,
    )


SECTIONS = {
    "small": small,
    "medium": medium,
    "real": real,
    "scale": scale,
    "side": side,
}

if __name__ == "__main__":
    main()

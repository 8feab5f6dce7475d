"""The assignment solvers: exactness, objective, bound and time, section by section.

Run: `python -m benchmarks.assignment --sections=small,medium,real,scale,side`, of

small   published instances and 300 random ones up to 20x6: native against the optimum
medium  random 60x20 and 128x40, a tenth of the pairs penalised: native against SCIP
real    1280 features of CUB-50 and tiny-imagenet-200 (needs the shared folder), native
exact   the same by HiGHS and SCIP, each `--seconds` long (an hour)
scale   synthetic clustered classes at the paper's sizes, as long as a user would wait
long    the same, ten minutes each, 21,841 classes an hour: what the short runs missed
side    every solver on the same instance

`--first` and `--count` set which medium instances (in parts, for long), `--names`
chooses among the medium, the real and the large ones ("60x20", "CUB-50", "2048x200"),
`--solvers` among the exact ones.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np

from benchmarks import assignment_instances as instances
from benchmarks.peak_memory import peak_memory
from qpm_jax import assignment, solvers
from qpm_jax.assignment import Assignment, AssignmentProblem
from qpm_jax.assignment.native import enumeration, refine
from qpm_jax.assignment.solve import SOLVERS

# Features, classes, n, k.
MEDIUM = {"60x20": (60, 20, 10, 3), "128x40": (128, 40, 16, 5)}
# Classes at 2048 features: seconds of the short run, seconds of the long one.
LARGE = {
    "2048x200": (200, 5.0, 600.0),
    "2048x1000": (1000, 30.0, 600.0),
    "2048x21841": (21_841, 600.0, 3600.0),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sections", default="small,medium,real,scale,side")
    parser.add_argument("--names", default=",".join((*MEDIUM, *instances.REAL, *LARGE)))
    parser.add_argument("--solvers", default="highs,scip")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3600.0)
    arguments = parser.parse_args()
    for name in arguments.sections.split(","):
        print(f"\n== {name}", flush=True)
        SECTIONS[name](arguments)


def small(arguments: argparse.Namespace) -> None:
    """Native, without its full enumeration, against the optimum by enumeration."""
    del arguments
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


def medium(arguments: argparse.Namespace) -> None:
    """Native against optima that SCIP proves."""
    for name, shape in MEDIUM.items():
        if name not in arguments.names.split(","):
            continue
        reached, proven, spent = 0, 0, []
        for seed in range(arguments.first, arguments.first + arguments.count):
            problem = instances.random_problem(seed, *shape, own=1.0, penalty=1.0)
            native = assignment.solve(problem, time_limit=20.0, price_steps=0)
            limit = arguments.seconds
            exact = assignment.solve(problem, "scip", time_limit=limit, threads=1)
            proven += exact.status == "optimal"
            reached += native.objective >= exact.objective * (1 - 1e-9)
            spent.append((native.seconds, exact.seconds))
            if len(spent) % 10 == 0:
                typical = np.median(spent, axis=0)
                print(
                    f"{name}: native as good or better in {reached} of {len(spent)}, "
                    f"{proven} proven by SCIP; median {typical[0]:.2f} and "
                    f"{typical[1]:.1f} s",
                    flush=True,
                )


def real(arguments: argparse.Namespace) -> None:
    """Ten and sixty seconds of native search on real features."""
    for name, problem in _real_problems(arguments):
        print(f"{name}: {len(problem.weights)} pairs penalised")
        _tell("compiling", assignment.solve(problem, time_limit=1.0))
        plain = assignment.solve(problem, time_limit=10.0, price_steps=0)
        _tell("native, no prices", plain)
        for limit in (10.0, 60.0):
            _tell("native", assignment.solve(problem, time_limit=limit))


def exact(arguments: argparse.Namespace) -> None:
    """What exact solvers find and prove on real features, one thread each."""
    for name, problem in _real_problems(arguments):
        print(name)
        for solver in arguments.solvers.split(","):
            limit = arguments.seconds
            found = assignment.solve(problem, solver, time_limit=limit, threads=1)
            _tell(solver, found)


def _real_problems(
    arguments: argparse.Namespace,
) -> Iterator[tuple[str, AssignmentProblem]]:
    for name in instances.REAL:
        problem = instances.real_problem(name)
        if problem is None:
            print(f"{name}: not there")
        elif name in arguments.names.split(","):
            yield name, problem


def scale(arguments: argparse.Namespace) -> None:
    """The paper's sizes, as long as a user would wait."""
    for name, (classes, short, _) in LARGE.items():
        if name in arguments.names.split(","):
            problem = instances.clustered_problem(2048, classes)
            print(f"{name}, {problem.similarity.nbytes / 2**30:.2f} GiB of values")
            _tell("compiling", assignment.solve(problem, time_limit=1.0))
            found = assignment.solve(problem, time_limit=short, price_steps=0)
            _tell("search", found)
            _tell("search and bound", assignment.solve(problem, time_limit=short))
            print(f"  largest memory {peak_memory():.1f} GiB", flush=True)


def long(arguments: argparse.Namespace) -> None:
    """The same for so long that nothing improves any more."""
    for name, (classes, _, seconds) in LARGE.items():
        if name in arguments.names.split(","):
            problem = instances.clustered_problem(2048, classes)
            print(name)
            _tell("long", assignment.solve(problem, time_limit=seconds, patience=10**6))


def side(arguments: argparse.Namespace) -> None:
    """Every solver on the same instances."""
    del arguments
    missing = {info.name for info in solvers.available() if info.licence == "missing"}
    able = set(SOLVERS) - missing
    for shape in ((20, 6, 6, 2), (60, 20, 10, 3)):
        problem = instances.random_problem(0, *shape)
        print(f"{shape[0]}x{shape[1]}")
        for solver in sorted(able):
            try:
                found = assignment.solve(problem, solver, time_limit=120.0)
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
    "exact": exact,
    "scale": scale,
    "long": long,
    "side": side,
}

if __name__ == "__main__":
    main()

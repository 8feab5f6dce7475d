"""Seconds to hand a program of 2 million columns to each solver, nothing solved.

Run: `python -m benchmarks.program_building [--classes=1000] [--features=2000]`. The
program is the linear assignment model without penalties: one column a class and
feature, linked to its feature's column, k of them a class; about 6 million entries.
"""

import argparse
import time

import numpy as np
from scipy import sparse

from qpm_jax.solvers import MixedIntegerProgram, gurobi, highs, scip


def assignment_program(classes: int, features: int) -> MixedIntegerProgram:
    """Columns w [C·F], then z [F]; rows w ≤ z, Σ w = 5 a class, Σ z = 50."""
    size = classes * features
    link = sparse.hstack(
        [
            sparse.eye_array(size),
            -sparse.kron(np.ones((classes, 1)), sparse.eye_array(features)),
        ]
    )
    count = sparse.hstack(
        [
            sparse.kron(sparse.eye_array(classes), np.ones((1, features))),
            sparse.csr_array((classes, features)),
        ]
    )
    budget = sparse.hstack(
        [sparse.csr_array((1, size)), sparse.csr_array(np.ones((1, features)))]
    )
    rows = sparse.vstack([link, count, budget], format="csr")
    wanted = np.concatenate([np.full(classes, 5.0), [50.0]])
    values = np.random.default_rng(0).uniform(size=size)
    variables = size + features
    return MixedIntegerProgram(
        objective=np.concatenate([values, np.zeros(features)]),
        rows=rows,
        row_lower=np.concatenate([np.full(size, -np.inf), wanted]),
        row_upper=np.concatenate([np.zeros(size), wanted]),
        lower=np.zeros(variables),
        upper=np.ones(variables),
        integer=np.ones(variables, bool),
        maximise=True,
    )


def build_highs(program: MixedIntegerProgram) -> None:
    import highspy

    highs.build(highspy.Highs(), program)


def build_scip(program: MixedIntegerProgram) -> None:
    import pyscipopt

    scip.build(pyscipopt.Model(), program)


def build_gurobi(program: MixedIntegerProgram) -> None:
    import gurobipy

    with (
        gurobipy.Env(params={"OutputFlag": 0}) as quiet,
        gurobipy.Model(env=quiet) as model,
    ):
        gurobi.build(model, program)
        model.update()


BUILDERS = {"highs": build_highs, "gurobi": build_gurobi, "scip": build_scip}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--features", type=int, default=2000)
    arguments = parser.parse_args()
    started = time.perf_counter()
    program = assignment_program(arguments.classes, arguments.features)
    print(
        f"{program.num_variables:,} columns, {program.num_rows:,} rows, "
        f"{program.rows.nnz:,} entries; arrays in {time.perf_counter() - started:.1f} s"
    )
    for name, build in BUILDERS.items():
        started = time.perf_counter()
        build(program)
        print(f"{name:8} {time.perf_counter() - started:6.1f} s", flush=True)


if __name__ == "__main__":
    main()

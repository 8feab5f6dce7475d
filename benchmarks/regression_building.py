"""Seconds and memory to build the program of binarized regression, nothing solved.

Run: `python -m benchmarks.regression_building [--instances=1000] [--features=784]`. The
features are random, on as often as pixels of MNIST are above 127; ten classes.
"""

import argparse
import time

import numpy as np

from benchmarks.peak_memory import peak_memory
from qpm_jax.regression import RegressionProblem, build_mip

_CLASSES = 10
_SHARE = 0.13


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--features", type=int, default=784)
    flags = parser.parse_args()
    random = np.random.default_rng(0)
    features = random.random((flags.instances, flags.features)) < _SHARE
    labels = np.arange(flags.instances) % _CLASSES
    problem = RegressionProblem(features.astype(int), labels, _CLASSES, 5.0, 10.0)
    before, began = peak_memory(), time.process_time()
    program = build_mip(problem).program
    seconds = time.process_time() - began
    rows, columns = program.rows.shape
    print(
        f"{flags.instances} instances: {columns} variables, {rows} rows,"
        f" {program.rows.nnz} entries; {seconds:.2f} s of CPU time,"
        f" {1024 * (peak_memory() - before):.0f} MiB more than before"
    )


if __name__ == "__main__":
    main()

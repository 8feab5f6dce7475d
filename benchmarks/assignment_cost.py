"""What one local search costs as features, classes and selected features grow.

Run: `python -m benchmarks.assignment_cost [--picture=FILE.svg]`; prints a table and
draws it on log axes. One search goes from a greedy start to a one-swap optimum, whose
classes are then made different, without a bound; the median of some calls after the
first, which compiles.
"""

import argparse
import io
import statistics

import numpy as np

from benchmarks.assignment_instances import clustered_problem
from qpm_jax import assignment
from qpm_jax.files import write_bytes

FEATURES, CLASSES, SELECTED = 2048, 200, 50
RUNS = 5
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
Curves = dict[str, tuple[tuple[int, ...], list[float]]]
# What is varied, with the other two at the values above.
AXES = {
    "features F": ("features", (256, 512, 1024, 2048, 4096)),
    "classes C": ("classes", (50, 200, 1000, 5000, 20_000)),
    "selected features n": ("num_features", (12, 25, 50, 100, 200)),
}


def seconds(features: int, classes: int, num_features: int) -> float:
    """Returns the seconds of a compiled search."""
    problem = clustered_problem(features, classes, num_features)
    once = {"max_rounds": 1, "bound_steps": 0, "price_steps": 0, "chains": 1}
    calls = [
        assignment.solve(problem, time_limit=600.0, **once).seconds
        for _ in range(1 + RUNS)
    ]
    return statistics.median(calls[1:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--picture", default="")
    picture = parser.parse_args().picture
    curves: Curves = {}
    for label, (name, sizes) in AXES.items():
        base = {"features": FEATURES, "classes": CLASSES, "num_features": SELECTED}
        curves[label] = (sizes, [seconds(**{**base, name: size}) for size in sizes])
        print(f"{label:20} slope {_slope(*curves[label]):.2f}")
        for size, spent in zip(*curves[label], strict=True):
            print(f"{size:20} {spent:8.3f} s", flush=True)
    if picture:
        _draw(curves, picture)


def _slope(sizes: tuple[int, ...], spent: list[float]) -> float:
    """The exponent of a power law through the points."""
    return float(np.polyfit(np.log(sizes), np.log(spent), 1)[0])


def _draw(curves: Curves, path: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, len(curves), sharey=True)
    for axis, (label, (sizes, spent)) in zip(axes, curves.items(), strict=True):
        axis.loglog(sizes, spent, "o-", color="#1f5fa8")
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axis.minorticks_off()
        axis.set_xlabel(f"{label} (slope {_slope(sizes, spent):.2f})")
        axis.grid(alpha=0.3)
    highest = max(max(spent) for _, spent in curves.values())
    ticks = [tick for tick in TICKS if tick <= 2 * highest]
    axes[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0].set_ylabel("seconds to a one-swap optimum")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg")
    write_bytes(path, drawn.getvalue())


if __name__ == "__main__":
    main()

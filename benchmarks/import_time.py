"""What `import qpm_jax` costs beyond `import jax`, in whole processes.

Run: `python -m benchmarks.import_time`
"""

import statistics
import subprocess
import sys
import time

RUNS = 7


def seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def main() -> None:
    statements = {
        "import jax": "import jax",
        "import qpm_jax": "import jax, qpm_jax",
        "import every sub-package": (
            "import jax; from qpm_jax import assignment, datasets, explain, losses, "
            "metrics, models, solvers, statistics, training"
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(RUNS):
        for name, statement in statements.items():
            times[name].append(seconds(statement))
    base = statistics.median(times["import jax"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:28} {median:6.2f} s   beyond jax {median - base:6.2f} s")


if __name__ == "__main__":
    main()

"""Images a second of a CPU training step, with freed memory given back and kept.

Run: `python -m benchmarks.host_memory`; pairs of fresh processes, in turn.
"""

import resource
import statistics
import subprocess
import sys

from benchmarks.training_step import rate
from launch.host_memory import keep_freed_memory

PAIRS = 5


def measure(kept: bool) -> None:
    """Prints images a second and seconds in the kernel of this process."""
    if kept:
        keep_freed_memory()
    images = rate("resnet_small", 64, 32, runs=120)[0]
    print(images, resource.getrusage(resource.RUSAGE_SELF).ru_stime)


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1] == "kept")
        return
    command = [sys.executable, "-m", "benchmarks.host_memory"]
    ratios = []
    for _ in range(PAIRS):
        rates = []
        for name in ("given_back", "kept"):
            done = subprocess.run([*command, name], capture_output=True, check=True)
            images, kernel = map(float, done.stdout.split())
            rates.append(images)
            print(f"{name:12} {images:6.0f} images/s, {kernel:4.1f} s in the kernel")
        ratios.append(rates[1] / rates[0])
    print(f"kept / given back: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()

"""Images a second of one training step, compiled, data in memory.

Run: `python -m benchmarks.training_step`
"""

import statistics
import time

import jax

from benchmarks.dense_step import random_batch, recipe_of, state_of, step_of
from qpm_jax import models

# Backbone, pixels a side, batch.
SETTINGS = (
    ("resnet_small", 64, 32),
    ("mobilenet_v2_tf", 224, 16),
    ("efficientnet_lite0", 224, 16),
)
CLASSES = 50


def rate(name: str, size: int, batch_size: int, runs: int = 8) -> tuple[float, float]:
    """Returns (images a second, seconds of the first call, compilation included)."""
    recipe = recipe_of(models.create(name, CLASSES))
    state = state_of(recipe, size)
    step = jax.jit(step_of(recipe))
    batch = random_batch(batch_size, size, CLASSES)
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        state = jax.block_until_ready(step(state, batch))
        times.append(time.perf_counter() - started)
    return batch_size / statistics.median(times[1:]), times[0]


def main() -> None:
    print(f"{jax.devices()[0].device_kind}, jax {jax.__version__}")
    print(
        f"{'backbone':20} {'size':>5} {'batch':>6} {'images/s':>9} {'first call s':>13}"
    )
    for name, size, batch_size in SETTINGS:
        images, first = rate(name, size, batch_size)
        print(f"{name:20} {size:5} {batch_size:6} {images:9.0f} {first:13.1f}")


if __name__ == "__main__":
    main()

"""Images a second of one training step, compiled, data in memory.

Run: `python -m benchmarks.training_step`
"""

import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from qpm_jax import models, training
from qpm_jax.datasets import AugmentationPolicy

# Backbone, pixels a side, batch.
SETTINGS = (
    ("resnet_small", 64, 32),
    ("mobilenet_v2_tf", 224, 16),
    ("efficientnet_lite0", 224, 16),
)
CLASSES = 50


def rate(name: str, size: int, batch_size: int, runs: int = 8) -> tuple[float, float]:
    """Returns (images a second, seconds of the first call, compilation included)."""
    network = models.create(name, CLASSES)
    variables = jax.jit(network.init)(jax.random.key(0), jnp.zeros((1, size, size, 3)))
    recipe = training.Recipe(
        network=network,
        head_kernel=lambda params: params["head"]["kernel"],
        optimiser=training.optimiser("sgd", lambda step: 1e-4, 0.9, 5e-4),
        diversity=0.196,
        policy=AugmentationPolicy(),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )
    state = training.create(variables, recipe.optimiser)
    step = jax.jit(partial(training.train_step, recipe, jax.random.key(1)))
    random = np.random.default_rng(0)
    batch = {
        "image": random.integers(0, 256, (batch_size, size, size, 3), np.uint8),
        "label": random.integers(0, CLASSES, batch_size).astype(np.int32),
    }
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

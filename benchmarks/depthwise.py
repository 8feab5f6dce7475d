"""The depthwise convolution against XLA's grouped one, forward and gradient.

Run: `python -m benchmarks.depthwise`
"""

import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from qpm_jax.models.depthwise import depthwise_convolution

# (side, channels) of MobileNetV2's depthwise layers at 224 pixels, batch 8.
LAYERS = ((112, 32), (56, 144), (28, 192), (14, 576), (7, 960))
BATCH, RUNS = 8, 7


def xla(inputs: Array, kernel: Array) -> Array:
    return jax.lax.conv_general_dilated(
        inputs,
        kernel[:, :, None, :],
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=inputs.shape[-1],
    )


def ours(inputs: Array, kernel: Array) -> Array:
    return depthwise_convolution(inputs, kernel, (1, 1), "SAME")


def milliseconds(function: Callable[..., object], *arguments: Array) -> float:
    started = time.perf_counter()
    jax.block_until_ready(function(*arguments))
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    print(f"{'layer':>12} {'what':>9} {'xla ms':>9} {'ours ms':>9} {'ratio':>7}")
    for side, channels in LAYERS:
        inputs = jax.random.normal(jax.random.key(0), (BATCH, side, side, channels))
        kernel = jax.random.normal(jax.random.key(1), (3, 3, channels))
        for what in ("forward", "gradient"):
            pair = []
            for convolution in (xla, ours):
                function: Callable[..., object] = jax.jit(convolution)
                if what == "gradient":
                    function = jax.jit(
                        jax.grad(
                            lambda x, w, f=convolution: jnp.sum(f(x, w) ** 2), (0, 1)
                        )
                    )
                milliseconds(function, inputs, kernel)
                pair.append(function)
            times = [
                [milliseconds(f, inputs, kernel) for f in pair] for _ in range(RUNS)
            ]
            slow, fast = (
                statistics.median(column) for column in zip(*times, strict=True)
            )
            print(
                f"{side:>5} x {channels:>4} {what:>9} {slow:9.2f} {fast:9.2f} "
                f"{slow / fast:7.1f}"
            )


if __name__ == "__main__":
    main()

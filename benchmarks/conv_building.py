"""Seconds and memory to build the convolution layer of the source's size, unsolved.

Run: `python -m benchmarks.conv_building [--images=1000] [--side=28] [--channels=2]`.

Two 3×3 filters with same padding over 1,000 images of 28×28 pixels, ReLUs by big-M and
2×2 max-pooling: 1,568,000 ReLU binaries. Pixels are drawn; as many are bright as in
MNIST, since a pixel of 0 is no entry of a row. The readout, whose products make most of
the whole program, is counted and not built.
"""

import argparse
import time

import numpy as np

from benchmarks.peak_memory import peak_memory
from qpm_jax.networks import ConvProblem, build_conv_layer, conv_program_size
from qpm_jax.networks.weight_family import weight_family

# Of MNIST's training pixels so many are not 0.
BRIGHT = 0.191


def drawn_problem(images: int, side: int, channels: int) -> ConvProblem:
    """Images of noise, ten classes, and settings as in configs/networks_mnist.py."""
    random = np.random.default_rng(0)
    pixels = random.uniform(size=(images, side, side))
    pixels *= random.uniform(size=pixels.shape) < BRIGHT
    return ConvProblem(
        pixels,
        np.arange(images) % 10,
        10,
        channels,
        family=weight_family("grid", 0.0625, 4),
        l1=0.002,
        l2=0.02,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--channels", type=int, default=2)
    arguments = parser.parse_args()
    problem = drawn_problem(arguments.images, arguments.side, arguments.channels)
    before, wall, busy = peak_memory(), time.perf_counter(), time.process_time()
    program = build_conv_layer(problem).program
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    whole = conv_program_size(problem)
    print(
        f"layer: {program.num_variables:,} variables, {program.num_rows:,} rows,"
        f" {program.rows.nnz:,} entries, {whole['relu_binaries']:,} ReLU binaries"
    )
    print(f"built in {wall:.1f} s, {busy:.1f} s of CPU time")
    print(f"peak memory {peak_memory():.2f} GiB, {before:.2f} GiB before building")
    print(
        f"whole: {whole['variables']:,} variables, of which {whole['products']:,}"
        " products"
    )


if __name__ == "__main__":
    main()

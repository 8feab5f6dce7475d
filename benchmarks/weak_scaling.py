"""What sharing a step over devices costs: counted, calculated and measured.

Run: `python -m benchmarks.weak_scaling [--rounds=20]`. 1, 2, 4 and 8 virtual devices of
this machine's processor, each of them one thread with as many images a step. They share
the machine's cores, so nothing gets faster with more of them. What can be checked is
what docs/clusters.md calculates from: that the traffic of the compiled program is that
of the formula for any number of devices, and that a step costs as much processor time
as its devices compute alone plus what an exchange of those bytes takes. Network links,
and sending behind the backward pass, are none of this.
"""

import argparse
import os

# Before JAX looks for devices.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "")
    + " --xla_force_host_platform_device_count=8 --xla_cpu_multi_thread_eigen=false"
)

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from benchmarks.dense_step import random_batch, recipe_of, state_of, step_of
from qpm_jax import distributed, models
from qpm_jax.distributed.traffic import traffic
from qpm_jax.training.state import TrainState

# Backbone, pixels a side, classes, images a device: twice the devices, twice the work.
NETWORK, SIZE, CLASSES, IMAGES = "resnet_small", 32, 50, 16
DEVICES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Shared:
    """A step on some of the devices, and the same traffic without the step.

    Attributes:
      mesh: Its devices.
      take_step: Takes one step and waits for it.
      exchange: Only adds up over the devices, in as many parts, and waits.
      counted: Bytes of its all-reduces in the compiled program.
      operations: How many of them there are.
    """

    mesh: Mesh
    take_step: Callable[[], None]
    exchange: Callable[[], None]
    counted: int
    operations: int


def calculated(state: TrainState) -> int:
    """Returns the bytes that are added up over devices, as docs/clusters.md has it."""
    kernel = state.params["head"]["kernel"]
    parameters = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    # Means and variances; the formula's K is the number of channels.
    channels = sum(leaf.size for leaf in jax.tree.leaves(state.batch_stats)) // 2
    return 4 * (parameters + kernel.size + 3 * channels)


def some_state(shapes: TrainState) -> TrainState:
    """Returns small numbers of those shapes; which ones changes no time."""
    random = np.random.default_rng(0)

    def some(leaf: Any) -> np.ndarray:
        if np.issubdtype(leaf.dtype, np.integer):
            return np.zeros(leaf.shape, leaf.dtype)
        return random.uniform(0.01, 0.02, leaf.shape).astype(leaf.dtype)

    return jax.tree.map(some, shapes)


def shared(count: int) -> Shared:
    """Compiles the step for `count` devices and places what it needs."""
    mesh = distributed.make_mesh(count)
    recipe = recipe_of(models.create(NETWORK, CLASSES))
    shapes = jax.eval_shape(lambda: state_of(recipe, SIZE))
    places = distributed.state_shardings(mesh, shapes)
    state = distributed.place(some_state(shapes), places)
    images = count * IMAGES
    batch = {
        name: distributed.place_rows(mesh, rows, images)
        for name, rows in random_batch(images, SIZE, CLASSES).items()
    }
    step = jax.jit(step_of(recipe), donate_argnums=0, out_shardings=places)
    compiled: Any = step.lower(state, batch).compile()
    seen = traffic(compiled.as_text(), count).get("all-reduce")
    counted, operations = (seen.result_bytes, seen.operations) if seen else (0, 0)
    states = [state]

    def take_step() -> None:
        states.append(jax.block_until_ready(compiled(states.pop(), batch)))

    return Shared(
        mesh, take_step, exchange_of(mesh, counted, operations), counted, operations
    )


def exchange_of(mesh: Mesh, size: int, operations: int) -> Callable[[], None]:
    """Returns a function that adds up `size` bytes over the devices in equal parts."""
    length = size // 4 // max(operations, 1)
    rows = np.zeros((mesh.size, length), np.float32)
    parts = [distributed.place_rows(mesh, rows, mesh.size) for _ in range(operations)]
    whole = distributed.replicated(mesh)
    add = jax.jit(lambda parts: [part.sum(0) for part in parts], out_shardings=whole)
    return lambda: jax.block_until_ready(add(parts))


def seconds_of(action: Callable[[], None]) -> tuple[float, float]:
    """Returns (processor seconds of all threads, seconds) of one call."""
    spent, begun = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - spent, time.perf_counter() - begun


def measure(all_shared: list[Shared], rounds: int) -> list[tuple[float, float, float]]:
    """Returns medians of processor seconds a step, seconds a step, and of an exchange.

    The numbers of devices take turns, so that a machine that changes its speed changes
    all of them.
    """
    seen: list[list[tuple[float, float, float]]] = [[] for _ in all_shared]
    for _ in range(rounds + 1):
        for one, times in zip(all_shared, seen, strict=True):
            times.append((*seconds_of(one.take_step), seconds_of(one.exchange)[0]))
    return [
        tuple(statistics.median(column) for column in zip(*times[1:], strict=True))
        for times in seen
    ]  # type: ignore[misc]


def main() -> None:
    flags = argparse.ArgumentParser()
    flags.add_argument("--rounds", type=int, default=20)
    rounds = flags.parse_args().rounds
    cores = len(os.sched_getaffinity(0))
    print(f"{NETWORK}, {SIZE} pixels, {IMAGES} images a device and step")
    print(f"{cores} cores, one thread a device, jax {jax.__version__}")
    recipe = recipe_of(models.create(NETWORK, CLASSES))
    expected = calculated(jax.eval_shape(lambda: state_of(recipe, SIZE)))
    all_shared = [shared(count) for count in DEVICES]
    times = measure(all_shared, rounds)
    alone = times[0][0]
    print(
        f"{'devices':>7} {'all-reduces':>11} {'counted B':>10} {'formula B':>10} "
        f"{'CPU ms/image':>12} {'calculated':>10} {'ms/step':>8} {'calculated':>10}"
    )
    for one, (spent, passed, exchanged) in zip(all_shared, times, strict=True):
        count = one.mesh.size
        work = count * alone + exchanged * (count > 1)
        images = count * IMAGES
        print(
            f"{count:7} {one.operations:11} {one.counted:10} "
            f"{expected * (count > 1):10} "
            f"{1e3 * spent / images:12.2f} {1e3 * work / images:10.2f} "
            f"{1e3 * passed:8.1f} {1e3 * work / min(count, cores):10.1f}"
        )
    print(f"{time.process_time():.0f} s of processor time in all")


if __name__ == "__main__":
    main()

"""What a training step sends between devices, and what sharing the work costs.

Run: `python -m benchmarks.communication [--classes=21841] [--no-weak_scaling]`. Eight
virtual devices of this machine's processor; the first part compiles and counts, nothing
is computed.
"""

import argparse
import os

# Before JAX looks for devices.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)

import statistics
import time
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from benchmarks.dense_step import random_batch, recipe_of, state_of, step_of
from qpm_jax import distributed, models, training
from qpm_jax.distributed.traffic import traffic

# Backbone, pixels, images a device; the last two change no bytes sent.
NETWORK, SIZE, LOCAL = "resnet50", 224, 4
DEVICES = 8
# Images a device of the weak scaling: twice the devices do twice the work.
IMAGES, SCALED, SCALED_SIZE = 16, "resnet_small", 32


def shapes_of(recipe: training.Recipe, size: int) -> Any:
    """Shapes of the state before the first step."""
    return jax.eval_shape(lambda: state_of(recipe, size))


def lowered(recipe: training.Recipe, mesh: Mesh, parameters: str) -> Any:
    """The step on abstract arrays that lie as those of a run do."""
    state = shapes_of(recipe, SIZE)
    places = distributed.state_shardings(mesh, state, parameters)
    state = jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(
            leaf.shape, leaf.dtype, sharding=place
        ),
        state,
        places,
    )
    rows = distributed.along_rows(mesh)
    count = LOCAL * mesh.size
    batch = {
        "image": jax.ShapeDtypeStruct((count, SIZE, SIZE, 3), jnp.uint8, sharding=rows),
        "label": jax.ShapeDtypeStruct((count,), jnp.int32, sharding=rows),
    }
    step = jax.jit(step_of(recipe), donate_argnums=0, out_shardings=places)
    return step.lower(state, batch)


def count_step(parameters: str, classes: int) -> None:
    """Prints the communication of one step of NETWORK."""
    mesh = distributed.make_mesh(DEVICES)
    options = {"gather": distributed.gathered(mesh)} if parameters == "sharded" else {}
    recipe = recipe_of(models.create(NETWORK, classes), **options)
    started = time.process_time()
    fast = {
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    }
    compiled = lowered(recipe, mesh, parameters).compile(compiler_options=fast)
    for kind, seen in traffic(compiled.as_text(), DEVICES).items():
        print(
            f"{parameters:12} {kind:20} {seen.operations:6} "
            f"{seen.result_bytes / 1e6:12.2f} {seen.sent_bytes / 1e6:12.2f}"
        )
    memory = compiled.memory_analysis()
    print(
        f"{'':12} {memory.argument_size_in_bytes / 1e6:.0f} MB of arguments a device, "
        f"{memory.temp_size_in_bytes / 1e6:.0f} MB of temporaries for {LOCAL} images; "
        f"compiled in {time.process_time() - started:.0f} s of CPU time"
    )


def weak_scaling(runs: int = 20) -> None:
    """Prints CPU time an image with 1 to 8 devices, IMAGES for each of them."""
    print(f"\n{SCALED}, {SCALED_SIZE} pixels, {IMAGES} images a device and step")
    print(f"{'devices':>8} {'CPU ms/image':>13} {'efficiency':>11}")
    alone = 0.0
    for count in (1, 2, 4, 8):
        mesh = distributed.make_mesh(count)
        recipe = recipe_of(models.create(SCALED, 50))
        spent = step_seconds(recipe, mesh, runs) / (count * IMAGES)
        alone = alone or spent
        print(f"{count:8} {1e3 * spent:13.2f} {alone / spent:11.2f}")


def step_seconds(recipe: training.Recipe, mesh: Mesh, runs: int) -> float:
    """Median CPU seconds of a step, of all devices together."""
    state = state_of(recipe, SCALED_SIZE)
    places = distributed.state_shardings(mesh, state)
    state = distributed.place(state, places)
    count = IMAGES * mesh.size
    batch = {
        name: distributed.place_rows(mesh, rows, count)
        for name, rows in random_batch(count, SCALED_SIZE, 50).items()
    }
    step = jax.jit(step_of(recipe), donate_argnums=0, out_shardings=places)
    times = []
    for _ in range(runs + 1):
        started = time.process_time()
        state = jax.block_until_ready(step(state, batch))
        times.append(time.process_time() - started)
    return statistics.median(times[1:])


def main() -> None:
    flags = argparse.ArgumentParser()
    flags.add_argument("--classes", type=int, default=1000)
    action = argparse.BooleanOptionalAction
    flags.add_argument("--weak_scaling", action=action, default=True)
    given = flags.parse_args()
    print(f"{DEVICES} virtual devices, jax {jax.__version__}")
    state = shapes_of(recipe_of(models.create(NETWORK, given.classes)), SIZE)
    whole = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state.params))
    print(f"{NETWORK}, {given.classes} classes: parameters {whole / 1e6:.2f} MB")
    print(f"{'parameters':12} {'':20} {'count':>6} {'result MB':>12} {'sent MB':>12}")
    for parameters in ("replicated", "sharded"):
        count_step(parameters, given.classes)
    if given.weak_scaling:
        weak_scaling()


if __name__ == "__main__":
    main()

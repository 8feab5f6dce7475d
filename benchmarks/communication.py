"""What a training step sends between devices, counted in the compiled program.

Run: `python -m benchmarks.communication [--classes=21841]`. Eight virtual devices of
this machine's processor, for which the step is compiled; nothing is computed. What
sharing costs is measured by `benchmarks.weak_scaling`.
"""

import argparse
import os

# Before JAX looks for devices.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)

import time
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from benchmarks.dense_step import recipe_of, state_of, step_of
from qpm_jax import distributed, models, training
from qpm_jax.distributed.traffic import traffic

# Backbone, pixels, images a device; the last two change no bytes sent.
NETWORK, SIZE, LOCAL = "resnet50", 224, 4
DEVICES = 8


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


def main() -> None:
    flags = argparse.ArgumentParser()
    flags.add_argument("--classes", type=int, default=1000)
    given = flags.parse_args()
    print(f"{DEVICES} virtual devices, jax {jax.__version__}")
    state = shapes_of(recipe_of(models.create(NETWORK, given.classes)), SIZE)
    whole = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state.params))
    print(f"{NETWORK}, {given.classes} classes: parameters {whole / 1e6:.2f} MB")
    print(f"{'parameters':12} {'':20} {'count':>6} {'result MB':>12} {'sent MB':>12}")
    for parameters in ("replicated", "sharded"):
        count_step(parameters, given.classes)


if __name__ == "__main__":
    main()

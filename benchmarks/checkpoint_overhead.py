"""What checkpoints cost a training: time it waits for them, and processor time.

Run: `python -m benchmarks.checkpoint_overhead`

A checkpoint is a whole state: parameters, running statistics and momentum. Training
waits while its copy and its digest are made and it is handed to the writer, or, with a
synchronous writer, until it lies on the disk. The processor time is that of the thread
that trains, in which it can do nothing else, and that of all threads until the write
has ended. All are medians, and shares of the interval between checkpoints. The two
writers take turns.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from qpm_jax import checkpoints, models, training
from qpm_jax.config import default

CLASSES = 50
BACKBONES = ("resnet_small", "mobilenet_v2_tf", "resnet50")


def make_state(name: str) -> training.TrainState:
    """Returns the state of a training with momentum, of random numbers."""
    network = models.create(name, CLASSES)
    example = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    shapes = jax.eval_shape(network.init, jax.random.key(0), example)
    random = np.random.default_rng(0)

    def values(leaf: jax.ShapeDtypeStruct) -> jax.Array:
        return jnp.asarray(random.normal(size=leaf.shape).astype(leaf.dtype))

    optimiser = training.optimiser("sgd", lambda step: 1e-4, 0.9, 5e-4)
    return training.create(jax.tree.map(values, shapes), optimiser)


def save(
    manager: ocp.CheckpointManager, step: int, state: training.TrainState
) -> tuple[float, float, float]:
    """Returns seconds of a checkpoint: waited, own processor and all threads'."""
    started, own, every = time.perf_counter(), time.thread_time(), time.process_time()
    checkpoints.save(manager, step, jax.tree.map(jnp.copy, state))
    waited, own = time.perf_counter() - started, time.thread_time() - own
    manager.wait_until_finished()
    return waited, own, time.process_time() - every


def measure(
    state: training.TrainState, rounds: int, folder: Path
) -> dict[str, tuple[float, ...]]:
    """Returns the medians of `save` with either writer."""
    figures: dict[str, list[tuple[float, float, float]]] = {}
    with (
        checkpoints.open_manager(folder / "a", asynchronous=True) as later,
        checkpoints.open_manager(folder / "s", asynchronous=False) as at_once,
    ):
        for step in range(rounds + 1):
            for kind, manager in (("asynchronous", later), ("synchronous", at_once)):
                seconds = save(manager, step, state)
                if step:  # the first of each compiles
                    figures.setdefault(kind, []).append(seconds)
    return {
        kind: tuple(map(statistics.median, zip(*rows, strict=True)))
        for kind, rows in figures.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=default().checkpoint_seconds)
    options = parser.parse_args()
    print(f"Seconds, and shares of an interval of {options.seconds:g} s:")
    print(
        f"{'backbone':16}{'state':>8}  {'writer':12}{'waited':>16}"
        f"{'own thread':>16}{'all threads':>16}"
    )
    for name in BACKBONES:
        state = make_state(name)
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) / 2**20
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(state, options.rounds, Path(folder))
        for kind, seconds in figures.items():
            shares = [f"{s:8.3f} {s / options.seconds:7.2%}" for s in seconds]
            print(f"{name:16}{size:4.0f} MiB  {kind:12}{''.join(shares)}", flush=True)


if __name__ == "__main__":
    main()

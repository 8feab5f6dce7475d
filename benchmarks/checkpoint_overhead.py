"""What checkpoints cost a training: time it waits for them, and processor time.

Run: `python -m benchmarks.checkpoint_overhead`

A checkpoint is a whole state: parameters, running statistics and momentum. Training
waits while its copy and its digest are made and it is handed to the writer, or, with a
synchronous writer, until it lies on the disk. The processor time is that of all threads
until then. Both are medians, and shares of the interval between checkpoints. The two
writers take turns.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp

from qpm_jax import checkpoints, models, training
from qpm_jax.config import default

CLASSES = 50
BACKBONES = ("resnet_small", "mobilenet_v2_tf", "resnet50")


def make_state(name: str) -> training.TrainState:
    """Returns the state of a new training with momentum."""
    network = models.create(name, CLASSES)
    variables = jax.jit(network.init)(jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
    optimiser = training.optimiser("sgd", lambda step: 1e-4, 0.9, 5e-4)
    return jax.block_until_ready(training.create(variables, optimiser))


def save(
    manager: ocp.CheckpointManager, step: int, state: training.TrainState
) -> tuple[float, float]:
    """Returns the seconds that training waits for a checkpoint, and all processor's."""
    started, processor = time.perf_counter(), time.process_time()
    checkpoints.save(manager, step, jax.tree.map(jnp.copy, state))
    waited = time.perf_counter() - started
    manager.wait_until_finished()
    return waited, time.process_time() - processor


def measure(
    state: training.TrainState, rounds: int, folder: Path
) -> dict[str, tuple[float, float]]:
    """Returns the medians of `save` with either writer."""
    figures: dict[str, list[tuple[float, float]]] = {}
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
        kind: (
            statistics.median(waited for waited, _ in rows),
            statistics.median(processor for _, processor in rows),
        )
        for kind, rows in figures.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=default().checkpoint_seconds)
    options = parser.parse_args()
    print(f"Seconds, and shares of an interval of {options.seconds:g} s:")
    print(f"{'backbone':16}{'state':>8}  {'writer':13}{'waited':>15}{'processor':>16}")
    for name in BACKBONES:
        state = make_state(name)
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) / 2**20
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(state, options.rounds, Path(folder))
        for kind, (waited, processor) in figures.items():
            print(
                f"{name:16}{size:4.0f} MiB  {kind:13}"
                f"{waited:7.3f} {waited / options.seconds:7.2%}"
                f"{processor:8.3f} {processor / options.seconds:7.2%}"
            )


if __name__ == "__main__":
    main()

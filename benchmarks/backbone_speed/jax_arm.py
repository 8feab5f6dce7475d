"""The project's own training step and passes."""

import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.backbone_speed.timed import (
    CLASSES,
    DIVERSITY,
    MATRIX,
    Timed,
    product_rate,
)
from benchmarks.dense_step import random_batch, recipe_of, state_of, step_of
from benchmarks.peak_memory import peak_memory
from qpm_jax import models, statistics
from qpm_jax.datasets import AugmentationPolicy
from qpm_jax.phases.forward import infer

CHANNELS = (0.5, 0.5, 0.5)


def make(arm: str, batch_size: int, size: int) -> Timed:
    """Returns the compiled arm."""
    network = models.create("resnet50", CLASSES, reduced_strides=True)
    precision = "bfloat16" if arm == "jax-bfloat16" else "float32"
    recipe = recipe_of(
        network,
        diversity=DIVERSITY,
        policy=AugmentationPolicy(flip=False, crop_padding=0, jitter=0.0),
        precision=precision,
    )
    batch = random_batch(batch_size, size, CLASSES)
    state = state_of(recipe, size)
    variables = jax.tree.map(jnp.copy, state.variables)
    started = time.perf_counter()
    compiled = jax.jit(step_of(recipe), donate_argnums=0).lower(state, batch).compile()
    spent = time.perf_counter() - started
    facts = {
        "device": f"{jax.devices()[0].device_kind}, jax {jax.__version__}",
        "precision": precision,
        "peak_flops": product_rate(_product(precision)),
        "compile": spent,
    }
    actions = {
        "train": _training(compiled, state, batch),
        **_passes(network, variables, batch),
    }
    for action in actions.values():
        action()
    return Timed(facts, actions, _memory)


def _training(compiled: Any, state: Any, batch: dict[str, np.ndarray]) -> Any:
    held = [state]

    def train() -> None:
        held[0] = jax.block_until_ready(compiled(held[0], batch))

    return train


def _passes(network: Any, variables: Any, batch: dict[str, np.ndarray]) -> dict:
    look = jax.jit(partial(infer, network, CHANNELS, CHANNELS))
    update = jax.jit(statistics.update)
    valid = np.ones(len(batch["label"]), bool)
    held = [statistics.init(2048, CLASSES)]

    def forward() -> None:
        jax.block_until_ready(look(variables, batch["image"]))

    def with_statistics() -> None:
        _, features, maps = look(variables, batch["image"])
        new = update(held[0], features, maps, batch["label"], valid)
        held[0] = jax.block_until_ready(new)

    return {"forward": forward, "statistics": with_statistics}


def _product(precision: str) -> Any:
    matrix = jnp.ones((MATRIX, MATRIX), precision)
    multiply = jax.jit(lambda a: a @ a)
    return lambda: jax.block_until_ready(multiply(matrix))


def _memory() -> float:
    found = jax.devices()[0].memory_stats() or {}
    peak = found.get("peak_bytes_in_use")
    return peak_memory() if peak is None else peak / 2**30

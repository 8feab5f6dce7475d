"""Everything that is shared over devices, on 1, 2, 4 and 8 of this process's eight.

Run as a script, it writes what came out as one .npz file: `D/part/name`. As one process
of a job it has one device and does it once, on those of all processes.
"""

import os
import sys

# Programs run for milliseconds here; compiling them with care would take far longer.
if "QPM_COORDINATOR" not in os.environ:
    os.environ["XLA_FLAGS"] = (
        "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
    )

import re
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from qpm_jax import distributed, metrics, models, statistics, training
from qpm_jax.config import default
from qpm_jax.datasets import AugmentationPolicy
from qpm_jax.distributed.traffic import traffic
from qpm_jax.models.batch_norm import BatchNorm
from qpm_jax.phases import setting

CLASSES, FEATURES, STEPS, BATCH = 51, 24, 4, 16
CHANNELS = (0.5, 0.5, 0.5)


class Backbone(nn.Module):
    """Both kinds of batch normalisation in use, each after a convolution.

    Those have no bias: its gradient would be rounding alone, which Adam makes large.
    """

    @nn.compact
    def __call__(self, images, train=False):
        hidden = nn.Conv(8, (3, 3), strides=2, use_bias=False, name="conv1")(images)
        hidden = nn.relu(BatchNorm(name="norm1")(hidden, train))
        hidden = nn.Conv(FEATURES, (3, 3), strides=2, use_bias=False, name="conv2")(
            hidden
        )
        norm = nn.BatchNorm(use_running_average=not train, momentum=0.9, name="norm2")
        return nn.relu(norm(hidden))


def batches():
    random = np.random.default_rng(0)
    for _ in range(STEPS):
        images = random.integers(0, 256, (BATCH, 16, 16, 3)).astype(np.uint8)
        yield {"image": images, "label": random.integers(0, CLASSES, BATCH)}


def training_on(mesh, parameters):
    """Parameters, optimiser and running statistics after STEPS steps."""
    options = {"gather": distributed.gathered(mesh)} if parameters == "sharded" else {}
    recipe = training.Recipe(
        network=models.Classifier(Backbone(), CLASSES, dropout=0.2),
        head_kernel=lambda params: params["head"]["kernel"],
        optimiser=training.optimiser("adamw", lambda step: 0.01, 0.9, 5e-4),
        diversity=0.196,
        policy=AugmentationPolicy(crop_padding=1),
        mean=CHANNELS,
        std=CHANNELS,
        averaging=0.5,
        **options,
    )
    example = jnp.zeros((1, 16, 16, 3))
    variables = jax.jit(recipe.network.init)(jax.random.key(0), example)
    state = training.create(variables, recipe.optimiser, recipe.averaging)
    places = distributed.state_shardings(mesh, state, parameters, smallest=64)
    state = distributed.place(state, places)
    step = jax.jit(
        partial(training.train_step, recipe, jax.random.key(1)),
        donate_argnums=0,
        out_shardings=places,
    )
    own = distributed.local_rows(BATCH)
    for batch in batches():
        placed = {
            name: distributed.place_rows(mesh, values[own], BATCH)
            for name, values in batch.items()
        }
        state = step(state, placed)
    yield (
        "divided",
        sum(not leaf.is_fully_replicated for leaf in jax.tree.leaves(state)),
    )
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        yield jax.tree_util.keystr(path), distributed.to_host(leaf)


def first_state_on(mesh):
    """How large any array of the programs was that made the first state, divided."""
    config = default()
    config.parallel.update({"parameters": "sharded", "smallest_sharded": 64})
    network = models.Classifier(Backbone(), CLASSES)
    surroundings = setting.Setting(
        config, Path(), None, network, (16, 16), CHANNELS, CHANNELS, mesh
    )
    optimiser = training.optimiser("adamw", lambda step: 0.01, 0.9, 5e-4)
    first = training.template(
        surroundings.variable_shapes(), optimiser, 0.5, surroundings.places
    )
    with programs() as texts:
        variables = surroundings.initial_variables()
        state = training.create_like(first, variables, optimiser, 0.5)
    shapes = re.findall(r"\b[a-z]+\d+\[([\d,]+)\]", " ".join(texts))
    yield "programs", len(texts)
    yield "largest", max(np.prod([int(n) for n in s.split(",")]) for s in shapes)
    yield "whole", max(leaf.size for leaf in jax.tree.leaves(state))
    yield (
        "placed",
        all(
            leaf.sharding == wanted.sharding
            for leaf, wanted in zip(*map(jax.tree.leaves, (state, first)), strict=True)
        ),
    )
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        yield jax.tree_util.keystr(path), distributed.to_host(leaf)


@contextmanager
def programs():
    """Lists the compiled programs that are called from here on, as text."""
    texts, compile_ = [], jax.jit

    def jit(function, **options):
        program = compile_(function, **options)

        def noted(*arguments):
            texts.append(program.lower(*arguments).compile().as_text())
            return program(*arguments)

        return noted

    with mock.patch.object(jax, "jit", jit):
        yield texts


def statistics_on(mesh):
    """A, R, b and moments of features that come batch by batch."""
    rows, whole = distributed.along_rows(mesh), distributed.replicated(mesh)
    state = statistics.shared_init(mesh, FEATURES, CLASSES)
    update = statistics.shared_update(mesh, state)
    yield (
        "classes_a_device",
        state.similarity.class_sums.addressable_shards[0].data.shape,
    )
    random = np.random.default_rng(1)
    for number in range(STEPS):
        maps = random.random((BATCH, 4, 4, FEATURES), np.float32)
        labels = random.integers(0, CLASSES, BATCH).astype(np.int32)
        maps[np.arange(BATCH), :, :, labels % FEATURES] += 0.5
        arguments = (
            distributed.place(maps.mean((1, 2)), whole),
            distributed.place(maps, rows),
            labels,
            np.arange(BATCH) < BATCH - 3 * (number == STEPS - 1),
        )
        if not number:
            text = update.lower(state, *arguments).compile().as_text()
            seen = traffic(text, mesh.size).values()
            yield "result_bytes", sum(kind.result_bytes for kind in seen)
        state = update(state, *arguments)
    sums = statistics.shared_sums(state, CLASSES)
    if distributed.is_first():
        result = statistics.finish(sums)
        for name in ("similarity", "redundancy", "bias", "mean", "std"):
            yield name, getattr(result, name)


def metrics_on(mesh):
    """What is measured batch by batch, of outputs that are divided by rows."""
    rows, whole = distributed.along_rows(mesh), distributed.replicated(mesh)
    random = np.random.default_rng(2)
    weights = np.zeros((CLASSES, FEATURES), np.float32)
    for row in weights:
        row[random.choice(FEATURES, 5, replace=False)] = 1
    states = {
        "accuracy": metrics.accuracy_init(),
        "sid": metrics.sid_init(),
        "activation": metrics.class_activation_init(CLASSES, FEATURES),
        "correlation": metrics.correlation_init(FEATURES),
        "dependence": metrics.dependence_init(),
    }

    def update(states, maps, logits, features, labels, valid):
        given = states["accuracy"], logits, labels, valid
        activation = states["activation"], features, labels, valid
        dependence = states["dependence"], features, logits, weights, valid
        return {
            "accuracy": metrics.accuracy_update(*given),
            "sid": metrics.sid_update(states["sid"], maps, logits, weights, 5, valid),
            "activation": metrics.class_activation_update(*activation),
            "correlation": metrics.correlation_update(
                states["correlation"], features, valid
            ),
            "dependence": metrics.dependence_update(*dependence),
        }

    update = jax.jit(update, out_shardings=whole)
    for number in range(STEPS):
        maps = random.random((BATCH, 4, 4, FEATURES), np.float32)
        features = maps.mean((1, 2))
        logits = features @ weights.T
        labels = random.integers(0, CLASSES, BATCH).astype(np.int32)
        states = update(
            states,
            *jax.device_put((maps, logits), rows),
            jax.device_put(features, whole),
            labels,
            np.arange(BATCH) < BATCH - 3 * (number == STEPS - 1),
        )
    yield "accuracy", metrics.accuracy_finish(states["accuracy"])
    yield "sid", metrics.sid_finish(states["sid"])
    yield "independence", metrics.class_independence_finish(states["activation"])
    yield "correlation", metrics.correlation_finish(states["correlation"])
    yield "dependence", metrics.dependence_finish(states["dependence"])


def main(path):
    alone = not distributed.initialize()
    results = {}
    for count in (1, 2, 4, 8) if alone else (jax.device_count(),):
        mesh = distributed.make_mesh(count)
        parts = {
            "replicated": training_on(mesh, "replicated"),
            "statistics": statistics_on(mesh),
        }
        if alone:
            parts["metrics"] = metrics_on(mesh)
            parts["first"] = first_state_on(mesh)
        if not alone or count == 8:
            parts["sharded"] = training_on(mesh, "sharded")
        for part, named in parts.items():
            results |= {f"{count}/{part}/{n}": np.asarray(v) for n, v in named}
    if distributed.is_first():
        np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1])

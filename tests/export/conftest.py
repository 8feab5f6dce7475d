"""Runs as `qpm_jax.load` opens them, with numbers from a rule instead of training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.config import default
from qpm_jax.phases import inputs
from qpm_jax.phases import workdir as folders
from qpm_jax.run import Run

SELECTED = np.array([3, 20, 41, 77, 110])
ASSIGNMENT = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]], bool)


def by_rule(key, shape):
    """Weights and variances about 1, shifts about 0, kernels of constant gain."""
    rng = np.random.default_rng(len(key) + sum(shape))
    values = rng.standard_normal(shape)
    if len(shape) > 1:
        kernel = values / np.sqrt(np.prod(shape) / max(shape))
        return kernel.astype(np.float32)
    shifts = key.endswith(("bias", "mean"))
    return (0.1 * values if shifts else 1 + 0.1 * np.abs(values)).astype(np.float32)


def variables_by_rule(module, image_shape):
    image = jax.ShapeDtypeStruct(image_shape, jnp.float32)
    shapes = jax.eval_shape(module.init, jax.random.key(0), image)
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: jnp.asarray(by_rule(path[-1].key, leaf.shape)), shapes
    )


@pytest.fixture(scope="session")
def open_run(tmp_path_factory):
    """Returns a function: name of a backbone, its options -> a run with it."""

    def make(name, **options):
        config = default()
        config.model.update(name=name, **options)
        workdir = folders.open_workdir(tmp_path_factory.mktemp(name) / "run", config)
        names, colours = ("red", "green", "blue"), ((0.3, 0.4, 0.5), (0.2, 0.3, 0.2))
        inputs.write(workdir, inputs.Inputs(names, (16, 16), *colours))
        mean, std = np.linspace(0.1, 0.5, 5), np.linspace(1, 2, 5)
        head = models.BinaryHead(SELECTED, ASSIGNMENT, mean, std, dropout=0.0)
        backbone = models.create(name, 3, **options).backbone
        network = models.QPMNetwork(backbone=backbone, head=head)
        return Run(
            workdir=workdir,
            class_names=names,
            feature_names=tuple(f"feature {channel}" for channel in SELECTED),
            selected=SELECTED,
            assignment=ASSIGNMENT,
            mean=mean,
            std=std,
            image_size=(16, 16),
            input_mean=colours[0],
            input_std=colours[1],
            fit="stretch",
            network=network,
            variables=variables_by_rule(network, (1, 16, 16, 3)),
        )

    return make


@pytest.fixture(scope="session")
def run(open_run):
    return open_run("resnet_small")


@pytest.fixture(scope="session")
def photos():
    shape = (5, 16, 16, 3)
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)

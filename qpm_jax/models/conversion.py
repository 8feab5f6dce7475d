"""Named arrays of a file to Flax variables and back, by a table of sources."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from qpm_jax.models.catalogue import create, specification
from qpm_jax.models.layouts import Shape, Source
from qpm_jax.models.namings import carries_weights

Variables = dict[str, Any]


def to_variables(
    sources: Iterable[Source], arrays: Mapping[str, ArrayLike]
) -> Variables:
    """Turns arrays into float32 variables; `mismatches` must have found nothing."""
    variables: Variables = {}
    for source in sources:
        *branch, leaf = source.path
        place = variables
        for step in branch:
            place = place.setdefault(step, {})
        array = source.layout.to_flax(np.asarray(arrays[source.key]))
        place[leaf] = jnp.asarray(array, jnp.float32)
    return variables


def to_arrays(sources: Iterable[Source], variables: Variables) -> dict[str, np.ndarray]:
    """Turns variables into float32 arrays as they lie in a file."""
    arrays = {}
    for source in sources:
        leaf = variables
        for step in source.path:
            leaf = leaf[step]
        array = source.layout.to_file(np.asarray(leaf, np.float32))
        arrays[source.key] = np.ascontiguousarray(array)
    return arrays


def mismatches(
    name: str, sources: list[Source], arrays: Mapping[str, ArrayLike]
) -> list[str]:
    """Returns all that keeps arrays from filling a model, a line each.

    Args:
      name: the model.
      sources: where its arrays should come from.
      arrays: what there is.
    """
    shapes = shapes_in_file(name, sources, _num_classes(sources, arrays))
    problems = []
    for key, expected in shapes.items():
        if key not in arrays:
            problems.append(f"missing: {key} {expected}")
        elif np.shape(arrays[key]) != expected:
            found = np.shape(arrays[key])
            problems.append(f"misshaped: {key} {found}, expected {expected}")
    unknown = [key for key in arrays if key not in shapes and carries_weights(key)]
    return problems + [f"unknown: {key}" for key in unknown]


def shapes_in_file(
    name: str, sources: Iterable[Source], num_classes: int = 1
) -> dict[str, Shape]:
    """Returns key -> shape of the arrays that fill the named model."""
    shapes = _variable_shapes(name, num_classes)
    return {
        source.key: source.layout.shape_in_file(shapes[source.path])
        for source in sources
    }


def _num_classes(sources: list[Source], arrays: Mapping[str, ArrayLike]) -> int:
    """Returns C of the head's bias, of its weight where that is missing, or 1."""
    for source in reversed(sources):
        if source.path[1] != "head" or source.key not in arrays:
            continue
        last = 0 if source.path[-1] == "bias" else 1  # C, in [C] and [F,C]
        axes = source.layout.shape_in_file(tuple(range(last + 1)))
        shape = np.shape(arrays[source.key])
        if len(shape) == len(axes):
            return shape[axes.index(last)]
    return 1


@cache
def _variable_shapes(name: str, num_classes: int) -> dict[tuple[str, ...], Shape]:
    module = create(name, num_classes)
    size = specification(name).image_size
    image = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    variables = jax.eval_shape(module.init, jax.random.key(0), image)
    return {
        tuple(step.key for step in path): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(variables)
    }

"""Where batches, training states and results lie on the mesh.

Batches are divided by rows: device d of D has rows d·B/D to (d+1)·B/D, a host those of
its devices. The state of training lies whole on every device, or, after Rajbhandari et
al. 2020 (ZeRO, arXiv 1910.02054, stage 3) and Zhao et al. 2023 (FSDP, arXiv
2304.11277), each large array is divided along one axis and gathered where it is used.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Shaped

from qpm_jax.distributed.mesh import AXIS, along_rows, replicated

Tree = TypeVar("Tree")


def check_batch_size(mesh: Mesh, name: str, batch_size: int) -> None:
    """Raises ValueError unless the devices can share a batch equally.

    Args:
      mesh: Of the job.
      name: Dotted key of the setting, such as `config.batch_size`.
      batch_size: Its value.
    """
    count = mesh.size
    if batch_size % count:
        below, above = batch_size // count * count, round_up(batch_size, count)
        sizes = f"{below} or {above}" if below else f"{above}"
        fewer = max(n for n in range(1, count) if batch_size % n == 0)
        raise ValueError(
            f"{name} is {batch_size}, which {count} devices cannot share equally; "
            f"{sizes} would do, or --config.parallel.devices={fewer} on one host."
        )


def round_up(number: int, multiple: int) -> int:
    """Returns the smallest multiple that is not below `number`."""
    return -(-number // multiple) * multiple


def local_rows(batch_size: int) -> slice:
    """Returns this host's rows of a batch that all hosts share."""
    share = batch_size // jax.process_count()
    return slice(jax.process_index() * share, (jax.process_index() + 1) * share)


def place_rows(
    mesh: Mesh, rows: Shaped[np.ndarray, "b ..."], batch_size: int
) -> jax.Array:
    """Returns the whole batch as one array, divided by rows over the mesh.

    Args:
      mesh: Of the job.
      rows: This host's rows; alone, all of them.
      batch_size: Rows of all hosts together.

    Raises:
      ValueError: `rows` are not this host's share.
    """
    if len(rows) * jax.process_count() != batch_size:
        raise ValueError(
            f"rows has {len(rows)} rows, but {jax.process_count()} hosts share "
            f"{batch_size}; give {batch_size // jax.process_count()}."
        )
    shape = (batch_size, *rows.shape[1:])
    return jax.make_array_from_process_local_data(along_rows(mesh), rows, shape)


def place(tree: Tree, shardings: Any) -> Tree:
    """Puts a pytree that every host holds whole where `shardings` says.

    Args:
      tree: Arrays, equal on all hosts.
      shardings: A sharding for each of them, or one for all.
    """
    if jax.process_count() == 1:
        return jax.device_put(tree, shardings)
    if isinstance(shardings, NamedSharding):
        shardings = jax.tree.map(lambda leaf: shardings, tree)
    return jax.tree.map(_place_leaf, tree, shardings)


def _place_leaf(leaf: Any, sharding: NamedSharding) -> jax.Array:
    # Each host hands its devices their parts; `device_put` would first compare all of
    # it between the hosts.
    whole = np.asarray(leaf)
    return jax.make_array_from_callback(whole.shape, sharding, lambda part: whole[part])


def state_shardings(
    mesh: Mesh, state: Any, parameters: str = "replicated", smallest: int = 65536
) -> Any:
    """Returns where each array of a training state lies.

    Args:
      mesh: Of the job.
      state: Arrays or `jax.ShapeDtypeStruct`.
      parameters: "replicated", or "sharded": parameters, the optimiser's arrays and
        running means alike are divided along their largest axis that D divides.
      smallest: Arrays with fewer elements lie whole on every device even so; moving
        them would cost more time than they take room.

    Raises:
      ValueError: Another word for `parameters`.
    """
    if parameters not in ("replicated", "sharded"):
        raise ValueError(
            f"config.parallel.parameters is {parameters!r}; it takes 'replicated' or "
            "'sharded'."
        )
    limit = smallest if parameters == "sharded" else np.inf
    return jax.tree.map(lambda leaf: _leaf_sharding(mesh, leaf, limit), state)


def _leaf_sharding(mesh: Mesh, leaf: Any, smallest: float) -> NamedSharding:
    divisible = [
        (size, -axis) for axis, size in enumerate(leaf.shape) if size % mesh.size == 0
    ]
    if leaf.size < smallest or not divisible or mesh.size == 1:
        return replicated(mesh)
    axis = -max(divisible)[1]
    return NamedSharding(mesh, PartitionSpec(*[None] * axis, AXIS))


def gathered(mesh: Mesh) -> Callable[[Tree], Tree]:
    """Returns a function for use in a jitted step: a tree, whole on every device.

    Parameters that are divided are gathered by it just before they are used, and their
    gradients are summed and divided again; without it the compiler might divide the
    computation itself and move activations, which are far larger.
    """
    sharding = replicated(mesh)
    return lambda tree: jax.lax.with_sharding_constraint(tree, sharding)


def to_host(array: Any) -> np.ndarray:
    """Returns an array of any placement as NumPy, in every process."""
    if not isinstance(array, jax.Array) or array.is_fully_addressable:
        return np.asarray(array)
    return np.asarray(array) if array.is_fully_replicated else divided_to_host(array)


def divided_to_host(array: jax.Array) -> np.ndarray:
    """Returns an array that is divided over hosts, in every one of them.

    An array [C, F] passes through the devices in F/D columns at a time, so that it
    never lies whole on one.
    """
    if array.ndim < 2:
        return _all_parts(array)
    width = max(1, array.shape[1] // array.sharding.num_devices)
    starts = range(0, array.shape[1], width)
    parts = [_all_parts(array[:, start : start + width]) for start in starts]
    return np.concatenate(parts, axis=1)


def _all_parts(array: jax.Array) -> np.ndarray:
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(array, tiled=True))

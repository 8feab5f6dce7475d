"""The streamed statistics over many devices: the class sums divided by classes.

What grows with the number of classes, the sums [C,F] and the counts, is divided over
the mesh; each device adds up its own classes of the whole batch, in the same order as
one device would. The rest, of size F, lies whole on each. A itself is made on the host,
so neither it nor its sums ever lie whole on one device.
"""

from collections.abc import Callable
from functools import partial

import jax
from jax.sharding import Mesh

from qpm_jax.distributed import along_rows, replicated, round_up, to_host
from qpm_jax.statistics import stream
from qpm_jax.statistics.stream import StatisticsState


def shared_init(mesh: Mesh, num_features: int, num_classes: int) -> StatisticsState:
    """Returns the state before any sample, divided by classes over the mesh.

    Each device makes its own classes' part.

    Args:
        mesh: of the job.
        num_features: F.
        num_classes: C; rounded up to a multiple of the devices, with classes that no
            sample has.

    Raises:
        ValueError: a number below 1.
    """
    first = partial(stream.init, num_features, round_up(num_classes, mesh.size))
    return jax.jit(first, out_shardings=_shardings(mesh, jax.eval_shape(first)))()


def shared_update(mesh: Mesh, state: StatisticsState) -> Callable[..., StatisticsState]:
    """Returns `update`, compiled so that its results lie as `state` does.

    Args:
        mesh: of the job.
        state: from `shared_init`. Each call takes the state it is given over.

    Returns:
        A function like `update`. Features and labels are to lie whole on every device,
        maps may be divided by rows.
    """
    return jax.jit(
        stream.update, donate_argnums=0, out_shardings=_shardings(mesh, state)
    )


def shared_sums(state: StatisticsState, num_classes: int) -> StatisticsState:
    """Returns the state on the host, as one device would have it; for `finish`.

    Every process of a job is to call it, and gets all of it.

    Args:
        state: of `shared_update`.
        num_classes: C, without those that were added.
    """
    whole = jax.tree.map(to_host, state)
    similarity = whole.similarity.replace(
        class_counts=whole.similarity.class_counts[:num_classes],
        class_sums=whole.similarity.class_sums[:num_classes],
    )
    return whole.replace(similarity=similarity)


def _shardings(mesh: Mesh, state: StatisticsState) -> StatisticsState:
    """Returns a state of placements."""
    by_class = along_rows(mesh)
    whole = jax.tree.map(lambda leaf: replicated(mesh), state)
    return whole.replace(
        similarity=whole.similarity.replace(class_counts=by_class, class_sums=by_class)
    )

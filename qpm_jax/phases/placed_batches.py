"""Batches on the mesh: every host reads its own rows, together they are one array."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
from jax.sharding import Mesh

from qpm_jax import distributed
from qpm_jax.datasets.dataset import Split

Batch = dict[str, Any]


def to_train(mesh: Mesh, batches: Iterator[Batch], batch_size: int) -> Iterator[Batch]:
    """Yields batches whose images and labels are divided by rows over the mesh.

    Args:
      mesh: Of the job.
      batches: This host's rows of each.
      batch_size: Rows of all hosts together.
    """
    with closing(batches):  # type: ignore[arg-type]
        for batch in batches:
            placed = {
                name: distributed.place_rows(mesh, batch[name], batch_size)
                for name in ("image", "label")
            }
            # For messages alone: which images this host has read.
            yield {**placed, "index": batch["index"]}


def in_order(
    mesh: Mesh, batches: Iterator[Batch], split: Split, batch_size: int
) -> Iterator[Batch]:
    """Yields the batches of one pass, their images divided by rows over the mesh.

    Labels, positions and which rows count are small, and of all hosts' rows; they stay
    on the host, for what is done there with the network's outputs.

    Args:
      mesh: Of the job.
      batches: This host's rows of each, of a split in order.
      split: What they are of.
      batch_size: Rows of all hosts together.
    """
    for number, batch in enumerate(batches):
        places = np.arange(number * batch_size, (number + 1) * batch_size)
        index = np.minimum(places, len(split) - 1).astype(np.int32)
        yield {
            "image": distributed.place_rows(mesh, batch["image"], batch_size),
            "label": split.labels[index],
            "index": index,
            "valid": places < len(split),
        }

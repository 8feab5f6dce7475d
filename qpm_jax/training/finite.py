"""Numbers that went wrong, told with all that is needed to look for the cause.

Each step notes in the state, on the device, whether it was the first to lose its
numbers. The loop looks at the note now and then, without waiting for every step, and
still names the exact one. No checkpoint is written once there is such a note.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import Array, Bool, Int

Namer = Callable[[Sequence[int]], Sequence[str]]

# How many file names one message shows.
_NAMES = 8


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Returns whether every number of a pytree of arrays is finite."""
    leaves = [
        jnp.all(jnp.isfinite(leaf))
        for leaf in jax.tree.leaves(tree)
        if jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    return jnp.all(jnp.stack(leaves)) if leaves else jnp.array(True)


def first_bad(
    before: Int[Array, ""], step: Int[Array, ""], tree: Any
) -> Int[Array, ""]:
    """Returns the first step whose `tree` was not finite; 0 while there is none.

    Args:
      before: The same after the step before.
      step: Number of this step, from 1.
      tree: What the step made: its loss, parameters and running statistics.
    """
    return jnp.where((before == 0) & ~all_finite(tree), step, before)


def not_finite(
    phase: str,
    step: int,
    batches_from: Callable[[int], Iterator[dict[str, Any]]],
    manager: ocp.CheckpointManager,
    name_images: Namer | None = None,
) -> FloatingPointError:
    """Returns the error of a step whose loss or parameters were not finite.

    Args:
      phase: Whose step it was.
      step: Its number, from 1.
      batches_from: Function from a step to the batches from that step on.
      manager: Of the checkpoints.
      name_images: Names images of the training split where they have names.
    """
    return FloatingPointError(
        f"{phase}: step {step} is the first whose loss or parameters are not finite. "
        f"{_batch_words(step, batches_from, name_images)} {_checkpoint_words(manager)} "
        f"Lower config.{phase}.learning_rate, or find the operation with --debug_nans."
    )


def diverged(
    phase: str,
    step: int,
    loss: float,
    largest: float,
    manager: ocp.CheckpointManager,
) -> FloatingPointError:
    """Returns the error of a mean cross-entropy above `largest` at `step`."""
    return FloatingPointError(
        f"{phase}: training diverges. The mean cross-entropy since the last record is "
        f"{loss:.4g} at step {step}, above the {largest:.4g} that config.divergence "
        f"allows. {_checkpoint_words(manager)} Lower config.{phase}.learning_rate, or "
        "raise config.divergence (0: off) if this is no failure."
    )


def _batch_words(
    step: int,
    batches_from: Callable[[int], Iterator[dict[str, Any]]],
    name_images: Namer | None,
) -> str:
    """Says which images the step saw: its batch depends on the step alone."""
    batch = next(iter(batches_from(step - 1)))
    if "index" not in batch:
        return "Its batch does not say which images it holds."
    index = [int(position) for position in np.asarray(batch["index"])]
    listed = ", ".join(str(position) for position in index)
    whose = "Its batch holds" if jax.process_count() == 1 else "This host's rows are"
    words = f"{whose} the images {listed} of the training split"
    if name_images is None:
        return f"{words}."
    named = ", ".join(name_images(index[:_NAMES]))
    more = ", ..." if len(index) > _NAMES else ""
    return f"{words} ({named}{more})." if named else f"{words}."


def _checkpoint_words(manager: ocp.CheckpointManager) -> str:
    manager.wait_until_finished()
    latest = manager.latest_step()
    if latest is None:
        return "There is no checkpoint yet."
    return f"The last good checkpoint is {manager.directory / str(latest)}."

"""Orbax checkpoints of a training phase: whole or not there, newest readable one wins.

Orbax writes each checkpoint into a temporary folder and renames it when it is complete,
so a killed run leaves at most an unfinished folder that is ignored. A checkpoint that
was damaged afterwards (cut short, half copied) is passed over, loudly, for the one
before it.
"""

import logging as python_logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from absl import logging


@contextmanager
def open_manager(
    folder: str | Path, keep: int = 2, asynchronous: bool = True
) -> Iterator[ocp.CheckpointManager]:
    """Opens the checkpoints in `folder` and waits for unfinished writes at the end.

    Args:
      folder: Where the steps lie, one folder each; made where absent.
      keep: How many of the latest steps are kept.
      asynchronous: Whether training goes on while a checkpoint is written.
    """
    # Orbax reports every save in a dozen lines; its warnings are still shown.
    python_logging.getLogger("orbax").setLevel(python_logging.WARNING)
    options = ocp.CheckpointManagerOptions(
        max_to_keep=keep, enable_async_checkpointing=asynchronous, create=True
    )
    with ocp.CheckpointManager(Path(folder).absolute(), options=options) as manager:
        yield manager
        manager.wait_until_finished()


def save(manager: ocp.CheckpointManager, step: int, state: Any) -> None:
    """Saves a pytree of arrays as `step`; returns before the write is finished."""
    manager.save(step, args=ocp.args.StandardSave(state))


def restore_latest(manager: ocp.CheckpointManager, template: Any) -> Any | None:
    """Restores the newest readable checkpoint, or None where there is none.

    Args:
      manager: From `open_manager`.
      template: A pytree of arrays with the shapes, dtypes and sharding to restore to.

    Returns:
      A pytree like `template`, or None if no checkpoint was written yet.

    Raises:
      ValueError: There are checkpoints, but none of them can be read.
    """
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, template)
    failures: list[str] = []
    for step in sorted(manager.all_steps(), reverse=True):
        try:
            restored = manager.restore(step, args=ocp.args.StandardRestore(abstract))
        except Exception as error:  # Orbax raises many kinds for a damaged folder
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            failures.append(f"step {step}: {reason[0][:200]}")
            logging.warning(
                "Checkpoint of step %d in %s cannot be read (%s); trying the one "
                "before it.",
                step,
                manager.directory,
                reason[0][:200],
            )
            continue
        for damaged in (s for s in manager.all_steps() if s > step):
            # It would otherwise stand in the way of the new checkpoint of that step.
            manager.delete(damaged)
        return restored
    if failures:
        raise ValueError(
            f"No checkpoint in {manager.directory} can be read "
            f"({'; '.join(failures)}). They are damaged or of another model. "
            "Delete that folder to train this phase again from its start."
        )
    return None


def save_final(folder: str | Path, variables: Any) -> None:
    """Writes what a phase leaves for others, a pytree of arrays, in one step."""
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(Path(folder).absolute(), variables, force=True)


def restore_final(folder: str | Path, shapes: Any) -> Any:
    """Restores what `save_final` wrote onto the first device.

    Args:
      folder: Where it was written.
      shapes: A pytree of arrays or `jax.ShapeDtypeStruct` to restore to.

    Raises:
      ValueError: There is nothing in `folder`, it is damaged, or it is another model.
    """
    folder = Path(folder).absolute()
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    abstract = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        shapes,
    )
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            return checkpointer.restore(folder, abstract)
    except Exception as error:  # Orbax raises many kinds for a damaged folder
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"{folder.parent.name}: the model in {folder} cannot be read "
            f"({reason[0][:200]}). It is missing, damaged or of another architecture; "
            "delete its phase's folder and run that phase again."
        ) from error

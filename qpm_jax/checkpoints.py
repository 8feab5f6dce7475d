"""Orbax checkpoints of a training phase: whole or not there, newest readable one wins.

Orbax writes each checkpoint into a temporary folder and renames it when it is complete,
so a killed run leaves at most an unfinished folder that is ignored. A checkpoint that
was damaged afterwards (cut short, half copied, a byte changed) is passed over, loudly,
for the one before it; a digest of the state, kept beside it, tells. Several hosts all
take the newest one that each of them can read.
"""

import errno
import logging
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from jaxtyping import Array, UInt32

from qpm_jax import distributed

logger = logging.getLogger(__name__)

# Under which name a checkpoint keeps the digest of its state.
_DIGEST = "digest"

# Under which name Orbax keeps the state where it is all that a checkpoint holds.
_ITEM = "default"

# What a write reports where nothing more fits: disk, quota, size of a file.
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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
    options = ocp.CheckpointManagerOptions(
        max_to_keep=keep,
        enable_async_checkpointing=asynchronous,
        create=True,
        cleanup_tmp_directories=True,  # what a killed run was writing
        # All hosts are to try the same steps.
        single_host_load_and_broadcast=distributed.several_hosts(),
    )
    folder = Path(folder).absolute()
    with (
        _full_disk_is_an_os_error(folder),
        ocp.CheckpointManager(
            folder,
            options=options,
            # Said, as it is asked what a step holds before it has written one.
            item_handlers=ocp.StandardCheckpointHandler(),
        ) as manager,
    ):
        yield manager
        manager.wait_until_finished()


def save(manager: ocp.CheckpointManager, step: int, state: Any) -> None:
    """Saves a pytree of arrays as `step`; returns before the write is finished.

    Raises:
      OSError: There is too little space for it; nothing was written.
    """
    _require_space(Path(manager.directory), state)
    manager.save(
        step,
        args=ocp.args.StandardSave(state),
        custom_metadata={_DIGEST: int(digest(state))},
    )


def restore_latest(
    manager: ocp.CheckpointManager,
    template: Any,
    from_all: Callable[[str], list[str]] = distributed.from_all,
) -> Any | None:
    """Restores the newest checkpoint that all hosts can read, or None without any.

    Args:
      manager: From `open_manager`.
      template: A pytree of arrays with the shapes, dtypes and sharding to restore to.
      from_all: Returns what each host says, which here is why it cannot read a step.

    Returns:
      A pytree like `template`, or None if no checkpoint was written yet.

    Raises:
      ValueError: There are checkpoints, but none of them can be read.
    """
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, template)
    failures: list[str] = []
    steps = sorted(manager.all_steps(), reverse=True)
    for step in steps:
        restored, reason = _restore(manager, step, abstract, from_all)
        if reason:
            failures.append(f"step {step}: {reason}")
            logger.warning(
                "The checkpoint %s is DAMAGED and passed over (%s). Training goes on "
                "from the one before it, if there is one.",
                manager.directory / str(step),
                reason,
            )
            continue
        for damaged in (s for s in steps if s > step):
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


def _restore(
    manager: ocp.CheckpointManager,
    step: int,
    abstract: Any,
    from_all: Callable[[str], list[str]],
) -> tuple[Any, str]:
    """Returns the state of a step, "" ; or None, why some host cannot have it.

    The digest is computed by all hosts together, so only where all of them could read.
    """
    state, written, reason = None, None, ""
    try:
        written = _written_digest(manager, step)
        state = _read(manager, step, abstract)
    except Exception as error:  # Orbax raises many kinds for a damaged folder
        reason = [*str(error).strip().splitlines(), type(error).__name__][0][:200]
    reason = _of_all(from_all, reason)
    if not reason:
        same = written is None or written == int(digest(state))
        words = "" if same else "its numbers are not those that were written"
        reason = _of_all(from_all, words)
    return (None, reason) if reason else (state, "")


def _of_all(from_all: Callable[[str], list[str]], reason: str) -> str:
    """Returns the reasons of all hosts, "" where none has one."""
    if reason and distributed.several_hosts():
        host = f"process {jax.process_index()} on {socket.gethostname()}"
        reason = f"{host}: {reason}"
    reasons = list(filter(None, from_all(reason)))
    more = [f"and {len(reasons) - 3} more"] if len(reasons) > 3 else []
    return "; ".join(reasons[:3] + more)


def _read(manager: ocp.CheckpointManager, step: int, abstract: Any) -> Any:
    """Returns this host's part of a step, without waiting for the other hosts.

    `manager.restore` ends with a wait for all, in which one that could read would wait
    for ever for one that could not.
    """
    alone = ocp.options.MultiprocessingOptions(
        primary_host=jax.process_index(),
        active_processes={jax.process_index()},
        barrier_sync_key_prefix=f"process{jax.process_index()}",
    )
    handler = ocp.StandardCheckpointHandler(multiprocessing_options=alone)
    with ocp.Checkpointer(handler, multiprocessing_options=alone) as reader:
        folder = manager.directory / str(step) / _ITEM
        return reader.restore(folder, args=ocp.args.StandardRestore(abstract))


@jax.jit
def digest(state: Any) -> UInt32[Array, ""]:
    """Returns a number that changes with any number of `state`.

    It depends on values and their places alone, not on how arrays lie on devices.

    Args:
      state: A pytree of arrays of numbers.
    """
    total = jnp.zeros((), jnp.uint32)
    for leaf in jax.tree.leaves(state):
        total = total * jnp.uint32(31) + _weighted_bits(leaf)
    return total


def _weighted_bits(leaf: Array) -> UInt32[Array, ""]:
    """Sums the bits of all elements, each times an odd number, modulo 2³²."""
    leaf = jnp.asarray(leaf)
    if leaf.dtype == jnp.bool_:
        leaf = leaf.astype(jnp.uint8)
    unsigned = f"uint{8 * min(leaf.dtype.itemsize, 4)}"
    bits = jax.lax.bitcast_convert_type(leaf, unsigned).astype(jnp.uint32)
    places = jnp.zeros((), jnp.uint32)
    for axis, length in enumerate(bits.shape):
        along = jax.lax.broadcasted_iota(jnp.uint32, bits.shape, axis)
        places = places * jnp.uint32(length) + along
    return jnp.sum(bits * (2 * places + 1), dtype=jnp.uint32)


def _written_digest(manager: ocp.CheckpointManager, step: int) -> int | None:
    """Returns the digest of the state that was saved, None in those of old versions."""
    return (manager.metadata(step).custom_metadata or {}).get(_DIGEST)


def save_final(folder: str | Path, variables: Any) -> None:
    """Writes what a phase leaves for others, a pytree of arrays, in one step.

    Raises:
      OSError: There is too little space for it; an older one is still there.
    """
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _require_space(folder.parent, variables)
    with _full_disk_is_an_os_error(folder), ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder, variables, force=True)
        checkpointer.wait_until_finished()


def _require_space(folder: Path, state: Any) -> None:
    """Raises before a write that cannot succeed, so that no half of it is left."""
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    if shutil.disk_usage(folder).free < 1.1 * size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def full_disk_error(error: BaseException) -> int | None:
    """Returns the error number if `error` says that a disk is full, else None."""
    if isinstance(error, OSError):
        return error.errno if error.errno in FULL_DISK else None
    code = re.search(r"os_error_code='(\d+)'", str(error))
    return int(code[1]) if code and int(code[1]) in FULL_DISK else None


@contextmanager
def _full_disk_is_an_os_error(folder: Path) -> Iterator[None]:
    """Turns what Orbax's writer makes of a full disk into the OSError that it is."""
    try:
        yield
    except Exception as error:
        number = full_disk_error(error)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(folder)) from error


def restore_final(folder: str | Path, shapes: Any, sharding: Any = None) -> Any:
    """Restores what `save_final` wrote, wherever that was.

    Args:
      folder: Where it was written.
      shapes: A pytree of arrays or `jax.ShapeDtypeStruct` to restore to.
      sharding: Where each array is to lie, or one for all; by default on the first
        device.

    Raises:
      ValueError: There is nothing in `folder`, it is damaged, or it is another model.
    """
    folder = Path(folder).absolute()
    if sharding is None:
        sharding = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    abstract = jax.tree.map(
        lambda place, part: jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
            part,
        ),
        sharding,
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

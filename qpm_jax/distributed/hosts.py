"""The processes of a job: they are joined, and what only the first one does.

`jax.distributed.initialize` connects them; from then on every process runs the same
program, and one that is silent for too long ends all of them.
"""

import functools
import logging
import os
import pickle
import socket
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np

from qpm_jax import stopping
from qpm_jax.distributed.membership import Membership, membership

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

# Whether this is the first process while the others wait for what it does.
_acting: ContextVar[bool] = ContextVar("_acting", default=False)

# A process that was silent for as long is dead, and the others end. A minute from its
# death to their end is allowed.
HEARTBEAT_SECONDS = 30


def initialize(
    coordinator: str = "",
    num_processes: int = 0,
    process_id: int = -1,
    cluster: str = "auto",
    heartbeat_seconds: int = HEARTBEAT_SECONDS,
) -> bool:
    """Joins this process to its job; to be called before anything is computed.

    From then on a notice ends all processes of a job of several, where they are asked.

    Args:
      coordinator: As `Membership`; what is not given comes from the environment.
      num_processes: As `Membership`; 0: from the environment.
      process_id: As `Membership`; below 0: from the environment.
      cluster: "auto" joins where arguments, environment or a scheduler speak of several
        processes; "jax" leaves all to `jax.distributed.initialize`, as Cloud TPU
        machines need; "none" stays alone.
      heartbeat_seconds: Silence after which a process counts as dead.

    Returns:
      Whether there are several processes.

    Raises:
      ValueError: The job is described in part, or impossibly.
    """
    if cluster not in ("auto", "jax", "none"):
        raise ValueError(f"cluster is {cluster!r}; it takes auto, jax or none.")
    if cluster == "none" or jax.distributed.is_initialized():
        return several_hosts()
    if cluster == "jax":
        joined = Membership("", 0, 0)
    else:
        joined = membership(os.environ, coordinator, num_processes, process_id)
    if joined is None:
        return False
    with stopping.deferred():  # one that left here would keep the others waiting
        _connect(joined, heartbeat_seconds)
        _tell(joined.coordinator)
        if several_hosts():
            stopping.hold()
    return several_hosts()


def _connect(joined: Membership, heartbeat_seconds: int) -> None:
    # Checkpoints before an end that a scheduler asks for are our own work.
    jax.config.update("jax_enable_preemption_service", False)
    waits: dict[str, Any] = {
        "heartbeat_timeout_seconds": heartbeat_seconds,
        # How long one that ends, or has failed, waits for the others to end too.
        "shutdown_timeout_seconds": heartbeat_seconds,
    }
    if joined.coordinator:
        jax.distributed.initialize(
            joined.coordinator,
            joined.num_processes,
            joined.process_id,
            cluster_detection_method="deactivate",
            **waits,
        )
        return
    try:
        jax.distributed.initialize(**waits)
    except ValueError as error:
        raise ValueError(
            "cluster is 'jax', but JAX finds no cluster that it knows here "
            f"({error}) Give --coordinator=HOST:PORT, --num_processes and "
            "--process_id, or the variables QPM_COORDINATOR, QPM_NUM_PROCESSES and "
            "QPM_PROCESS_ID."
        ) from error


def _tell(coordinator: str) -> None:
    """Logs who this is, so that a process that dies later has a host in the log."""
    logger.warning(
        "process %d of %d is on %s (pid %d) with %d of %d devices%s",
        *(jax.process_index(), jax.process_count(), socket.gethostname(), os.getpid()),
        *(jax.local_device_count(), jax.device_count()),
        f"; process 0, the coordination service, is at {coordinator}"
        if coordinator
        else "",
    )


def several_hosts() -> bool:
    """Whether this process is one of several of a job."""
    # Asked first: a look at the devices would end the chance to join a job.
    return jax.distributed.is_initialized() and jax.process_count() > 1


def is_first() -> bool:
    """Whether this process is the one that writes files and talks; alone, it is."""
    return not several_hosts() or jax.process_index() == 0


def once(action: Callable[[], Result]) -> Result:
    """Lets the first process act and tells all of them what came of it.

    All processes call it at the same place; none goes on before the first has finished,
    so what it wrote is there. Alone, it is a plain call.

    Args:
      action: Its result, or its error, can be pickled.

    Returns:
      What `action` returned in the first process.

    Raises:
      Exception: What `action` raised in the first process, in every process.
    """
    if not several_hosts() or _acting.get():
        return action()
    message = _acted(action) if is_first() else b""
    result, error = pickle.loads(_from_first(message))
    if error is not None:
        raise error
    return result


def from_all(words: str) -> list[str]:
    """Returns what each process says, in their order, in every process.

    All processes call it at the same place. Alone, there are its own words.
    """
    if not several_hosts():
        return [words]
    return [message.decode() for message in _all_messages(words.encode())]


def by_first(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Returns a function whose every call is made `once`; a decorator."""

    @functools.wraps(function)
    def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return once(lambda: function(*args, **kwargs))

    return called


def _acted(action: Callable[[], Any]) -> bytes:
    """Returns the pickled result and error of `action`."""
    token = _acting.set(True)
    try:
        return pickle.dumps((action(), None))
    except Exception as error:
        try:
            pickle.loads(message := pickle.dumps((None, error)))
            return message
        except Exception:
            return pickle.dumps((None, RuntimeError(f"process 0: {error!r}")))
    finally:
        _acting.reset(token)


def _from_first(message: bytes) -> bytes:
    """Returns the first process's message in every process."""
    from jax.experimental import multihost_utils

    length = int(multihost_utils.broadcast_one_to_all(np.int32(len(message))))
    padded = np.frombuffer(message.ljust(length, b"\0")[:length], np.uint8)
    return np.asarray(multihost_utils.broadcast_one_to_all(padded)).tobytes()


def _all_messages(message: bytes) -> list[bytes]:
    """Returns every process's message in every process."""
    from jax.experimental import multihost_utils

    lengths = multihost_utils.process_allgather(np.array([len(message)], np.int32))
    lengths = np.ravel(lengths).tolist()
    longest = max(lengths)
    if not longest:
        return [b""] * len(lengths)
    padded = np.frombuffer(message.ljust(longest, b"\0"), np.uint8)
    gathered = multihost_utils.process_allgather(padded)
    rows = np.reshape(gathered, (len(lengths), longest))
    return [row.tobytes()[:size] for row, size in zip(rows, lengths, strict=True)]

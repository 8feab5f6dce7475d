"""Batches from processes of their own: the same ones in the same order as from threads.

Every process has the whole pipeline and is asked for batch after batch by number, so
how many there are changes nothing. They outlive neither an error nor Ctrl-C nor the
death of the process that reads them.

grain's own `mp_prefetch` is not used: it needs absl's flags parsed and room in
/dev/shm, which containers lack, and is ended noisily.
"""

import functools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from qpm_jax.stopping import NOTICES

if TYPE_CHECKING:
    import grain

# In a process that reads: the pipeline it reads, as it came.
_pickled = b""


def read_in_processes(
    batches: "grain.MapDataset[Any]", first_step: int, num_workers: int
) -> Iterator[Any]:
    """Yields `batches[first_step]`, ..., prepared ahead by processes.

    Args:
        batches: a random-access pipeline that can be pickled.
        first_step: the step to begin with.
        num_workers: how many processes, at least 1; each has two batches ahead.

    Raises:
        ValueError: what reading a batch raises, or images that cannot be handed to
            another process.
        RuntimeError: a process was ended from outside, for instance for its memory.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(num_workers, context, _begin, (_packed(batches),))
    waiting: deque[Future[Any]] = deque()
    try:
        for step in range(first_step, len(batches)):
            waiting.append(pool.submit(_read, step))
            if len(waiting) > 2 * num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"one of {num_workers} processes that read images was ended from outside, "
            "perhaps as the memory is full; set config.input.workers lower or to 0"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _packed(batches: "grain.MapDataset[Any]") -> bytes:
    import cloudpickle

    try:
        return cloudpickle.dumps(batches)
    except Exception as error:  # whatever the images' own class raises
        raise ValueError(
            f"the images cannot be handed to other processes ({error}); set "
            "config.input.workers to 0, or let their class be pickled"
        ) from error


def _begin(pickled: bytes) -> None:
    """Prepares a process: what it reads, its signals, its end."""
    global _pickled
    _pickled = pickled
    # Ctrl-C and notices are for the parent, who reads on until its step is done, even
    # where a scheduler tells the whole group.
    for asked in (signal.SIGINT, *NOTICES):
        signal.signal(asked, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


@functools.cache
def _pipeline() -> Any:
    import cloudpickle

    return cloudpickle.loads(_pickled)


def _read(step: int) -> Any:
    return _pipeline()[step]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # also returns where it was killed
        os._exit(1)

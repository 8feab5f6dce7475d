"""What each of several runs on one machine may use: processors and accelerators."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_MEMORY = 0.9  # of an accelerator, for all runs on it together


def processor_shares(processors: Sequence[int], runs: int) -> list[set[int]]:
    """Returns disjoint sets of processors, as equal as they can be.

    Args:
      processors: Numbers of those we may use.
      runs: How many share them; where there are more runs than processors, several
        have the same one.
    """
    return [
        set(processors[number::runs]) or {processors[number % len(processors)]}
        for number in range(runs)
    ]


def share_processors(pids: Sequence[int]) -> None:
    """Shares the processors of this process out among others and all their threads.

    A run that is alone has all of them; whoever ends leaves its share to the rest.
    Where the system has no such thing (Linux has), nothing happens.
    """
    if not pids or not hasattr(os, "sched_setaffinity"):
        return
    shares = processor_shares(sorted(os.sched_getaffinity(0)), len(pids))
    for pid, share in zip(pids, shares, strict=True):
        for thread in _threads(pid):
            # A thread, or the whole process, may have ended since.
            with contextlib.suppress(OSError):
                os.sched_setaffinity(thread, share)


def device_environment(
    slot: int, jobs: int, devices: Sequence[str]
) -> Mapping[str, str]:
    """Returns the variables that give a run its accelerator.

    Args:
      slot: Number of the run among those side by side, from 0.
      jobs: How many there are at most.
      devices: Names for CUDA_VISIBLE_DEVICES; none leaves that as it is.
    """
    if not devices:
        return {}
    crowd = -(-jobs // len(devices))
    environment = {"CUDA_VISIBLE_DEVICES": devices[slot % len(devices)]}
    if crowd > 1:
        environment["XLA_CLIENT_MEM_FRACTION"] = f"{_MEMORY / crowd:.3f}"
    return environment


def _threads(pid: int) -> list[int]:
    try:
        return [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return [pid]

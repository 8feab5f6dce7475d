"""How many processors there are to work with."""

import os


def usable_processors() -> int:
    """How many processors this process may use; where unknown, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

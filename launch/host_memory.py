"""Keeps the memory that a training step frees, for the next step to use.

A step on the CPU backend takes and frees hundreds of megabytes of temporaries. By
default glibc gives such blocks back to the kernel at once, which has to clear their
pages anew in every step: a fifth of the time (`python -m benchmarks.host_memory`).
"""

import ctypes
import os

# Parameters of mallopt(3), and values: keep up to 1 GiB free, grow by 64 MiB.
_SETTINGS = {
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**30),
    "MALLOC_TOP_PAD_": (-2, 2**26),
    "MALLOC_MMAP_THRESHOLD_": (-3, 2**30),
}


def keep_freed_memory() -> bool:
    """Asks glibc to keep freed memory; what the environment says goes first.

    Returns:
      Whether the C library takes such settings; other libraries are left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(
        mallopt(parameter, value) == 1
        for name, (parameter, value) in _SETTINGS.items()
        if name not in os.environ
    )

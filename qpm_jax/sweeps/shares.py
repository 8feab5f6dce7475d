"""What each of several runs on one machine may use: processors and accelerators."""

from collections.abc import Mapping, Sequence

from qpm_jax.processors import usable_processors

# Read by XLA's thread pools, OpenMP and OpenBLAS.
_THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_MEMORY = 0.9  # of an accelerator, for all runs on it together


def thread_environment(runs: int, own: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that give a run its share of the processors.

    Runs are not tied to processors: beside other work, whoever had the busy ones would
    wait for ever.

    Args:
      runs: How many there are at the time, this one included.
      own: Our environment; what a person has set there stays.
    """
    threads = str(max(1, usable_processors() // runs))
    return {name: threads for name in _THREADS if name not in own}


def device_environment(slot: int, jobs: int, devices: Sequence[str]) -> dict[str, str]:
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

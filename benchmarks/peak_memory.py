"""How much memory a process has held."""

import resource


def peak_memory() -> float:
    """The most that this process has held so far, in GiB; Linux counts in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

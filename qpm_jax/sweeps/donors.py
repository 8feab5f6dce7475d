"""Who trains for whom: runs that begin alike train their first phases once."""

from collections.abc import Mapping, Sequence

from qpm_jax.phases import sharing
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep

Fingerprints = Mapping[str, Sequence[str]]


def all_fingerprints(sweep: Sweep) -> dict[str, tuple[str, ...]]:
    """Returns for each run, by name, what `sharing.common_phases` compares."""
    return {run.name: sharing.fingerprints(run.config) for run in sweep.runs}


def take_over_best(
    sweep: Sweep, run: Run, prints: Fingerprints
) -> tuple[str, tuple[str, ...]] | None:
    """Gives a run the most finished phases that another run has for it.

    Args:
      sweep: The sweep.
      run: A run that is not running.
      prints: `all_fingerprints`.

    Returns:
      The donor's name and the phases that were handed over; None where none were.
    """
    donor, phases = best_donor(sweep, run, prints)
    if donor is run:
        return None
    taken = sharing.take_over(sweep.folder(donor), sweep.folder(run), phases)
    return (donor.name, taken) if taken else None


def waits_for(
    sweep: Sweep, run: Run, running: Sequence[Run], prints: Fingerprints
) -> Run | None:
    """Returns a run under way that will have more phases for `run` than there are yet.

    Args:
      sweep: The sweep.
      run: A run that is not running.
      running: Those that are.
      prints: `all_fingerprints`.
    """
    _, phases = best_donor(sweep, run, prints)
    for other in running:
        common = sharing.common_phases(prints[run.name], prints[other.name])
        if len(common) > len(phases):
            return other
    return None


def best_donor(
    sweep: Sweep, run: Run, prints: Fingerprints
) -> tuple[Run, tuple[str, ...]]:
    """Returns who has finished most of a run's phases, itself first, and which.

    Args:
      sweep: The sweep.
      run: One of its runs.
      prints: `all_fingerprints`.
    """
    best, most = run, sharing.finished(sweep.folder(run), sharing.SHAREABLE)
    for other in sweep.runs:
        common = sharing.common_phases(prints[run.name], prints[other.name])
        if len(common) > len(most):  # else the disk need not be asked
            there = sharing.finished(sweep.folder(other), common)
            if len(there) > len(most):
                best, most = other, there
    return best, most


def waves(runs: Sequence[Run], prints: Fingerprints) -> list[list[Run]]:
    """Orders runs for a scheduler: those of a wave need the waves before it finished.

    A run's donor is the earlier run that has most phases in common with it.
    """
    level: dict[str, int] = {}
    for place, run in enumerate(runs):
        shared = [
            (len(sharing.common_phases(prints[run.name], prints[other.name])), other)
            for other in runs[:place]
        ]
        most, donor = max(shared, key=lambda pair: pair[0], default=(0, None))
        level[run.name] = level[donor.name] + 1 if donor is not None and most else 0
    return [
        [run for run in runs if level[run.name] == number]
        for number in range(max(level.values(), default=-1) + 1)
    ]

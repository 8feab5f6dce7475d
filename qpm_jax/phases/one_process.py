"""Phases that one process does alone, between the jobs of many.

The quadratic program is solved on one machine, in minutes. Inside a job of several
hosts all others would wait in a collective operation, which has neither a time limit
nor an error; so there it is refused. Files lead in and out. The report is the same
case, only shorter.
"""

from pathlib import Path

from qpm_jax import distributed

PHASES = ("assign", "explain")


def refuse_several_hosts(phase: str, workdir: str | Path) -> None:
    """Raises ValueError where this process is one of several of a job."""
    if distributed.several_hosts():
        raise ValueError(_words(phase, workdir))


def leaves(phase: str) -> bool:
    """Whether the pipeline stops before `phase`, as there are several hosts."""
    return phase in PHASES and distributed.several_hosts()


def farewell(phase: str, workdir: str | Path) -> str:
    """Returns what to run next where `leaves` is true."""
    rest = "" if phase == PHASES[-1] else " Then the same command here goes on."
    return _words(phase, workdir) + rest


def _words(phase: str, workdir: str | Path) -> str:
    return (
        f"the phase {phase} is done by one process, not by several hosts that would "
        f"wait for it. Run `python -m launch.{phase} --cluster=none` once, with the "
        f"same --config and --workdir={workdir}."
    )

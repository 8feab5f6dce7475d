"""The commands of a sweep's runs, as lists to start and as lines to print."""

import shlex
from collections.abc import Sequence
from typing import Any

from qpm_jax.sweeps.donors import Fingerprints, best_donor, waves
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep


def pipeline_arguments(sweep: Sweep, run: Run) -> list[str]:
    """Returns what follows `python` to make one run."""
    return [
        *("-m", "launch.pipeline", *sweep.arguments),
        *(f"--config.{key}={flag_text(value)}" for key, value in run.values.items()),
        f"--config.seed={run.seed}",
        f"--workdir={sweep.folder(run)}",
        *((f"--until={sweep.until}",) if sweep.until != "explain" else ()),
    ]


def flag_text(value: Any) -> str:
    """Returns a value as flags of a configuration take it."""
    return value if isinstance(value, str) else repr(value)


def script(sweep: Sweep, runs: Sequence[Run], prints: Fingerprints) -> str:
    """Returns a line a run for a shell or another scheduler, in the order of need.

    Lines of one part may run side by side; a run that can take phases over, then or
    now, does so before it begins.
    """
    lines = []
    for number, wave in enumerate(waves(runs, prints)):
        if number:
            lines.append(
                "# When those above are done; these take phases over from them."
            )
        for run in wave:
            command = shlex.join(["python", *pipeline_arguments(sweep, run)])
            if number or best_donor(sweep, run, prints)[0] is not run:
                workdir = shlex.quote(f"--workdir={sweep.workdir}")
                name = shlex.quote(f"--take_over={run.name}")
                command = f"python -m launch.sweep {workdir} {name} && {command}"
            lines.append(command)
    return "\n".join(lines)

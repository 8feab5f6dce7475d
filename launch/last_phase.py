"""The flag `--until`, of the launchers that run several phases."""

from collections.abc import Sequence

from absl import flags

from qpm_jax.phases.workdir import PHASES

UNTIL = flags.DEFINE_enum(
    "until", "explain", list(PHASES), "Last phase of each run; sweep: from evaluate on."
)


def chosen(allowed: Sequence[str] = PHASES) -> str:
    """Returns the phase of the command line.

    Raises:
      ValueError: It is none of `allowed`.
    """
    if UNTIL.value not in allowed:
        raise ValueError(f"--until is {UNTIL.value!r}; it takes {', '.join(allowed)}.")
    return UNTIL.value

"""All phases in order; those that are done already are passed over."""

import logging
from collections.abc import Callable
from pathlib import Path

from ml_collections import ConfigDict

from qpm_jax import distributed
from qpm_jax.datasets import Dataset
from qpm_jax.phases import (
    assign,
    dense,
    evaluate,
    explain,
    finetune,
    one_process,
    statistics,
)
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.setting import prepare
from qpm_jax.training.agreement import leave_if_asked

logger = logging.getLogger(__name__)

RUN: dict[str, Callable[..., None]] = {
    "dense": dense.run,
    "statistics": statistics.run,
    "assign": assign.run,
    "finetune": finetune.run,
    "evaluate": evaluate.run,
    "explain": explain.run,
}


def run(
    config: ConfigDict,
    workdir: str | Path,
    dataset: Dataset | None = None,
    until: str = "explain",
) -> None:
    """Runs what is not done yet, up to and including the phase `until`.

    Several hosts stop before a phase that is one process's work, and say so.

    Args:
      config: Every setting.
      workdir: Where the run lies or will lie.
      dataset: The data set of the configuration where it is loaded already.
      until: Last phase to run.

    Raises:
      ValueError: A setting is impossible, or the directory holds another run.
      Stopped: There are several hosts, and one of them was asked to end.
    """
    if until not in RUN:
        raise ValueError(f"until is {until!r}; phases are {', '.join(RUN)}.")
    setting = prepare(config, workdir, dataset)
    for phase, run_phase in RUN.items():
        leave_if_asked()
        if folders.is_done(setting.workdir, phase):
            logger.info("%s is done already", phase)
        elif one_process.leaves(phase):
            if distributed.is_first():
                logger.warning("Stopped: %s", one_process.farewell(phase, workdir))
            return
        else:
            run_phase(config, workdir, setting.dataset)
        if phase == until:
            return

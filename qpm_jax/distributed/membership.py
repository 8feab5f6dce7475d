"""Which process of which job this is, from flags and the environment.

`jax.distributed.initialize` knows SLURM, Open MPI and TPU machines by itself; elsewhere
a job says where its first process is, how many there are and which one this is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Our own variables first, then those that JAX's documentation, job templates and
# Kubernetes (indexed jobs) set.
_VARIABLES = {
    "coordinator": (
        "QPM_COORDINATOR",
        "JAX_COORDINATOR_ADDRESS",
        "COORDINATOR_ADDRESS",
    ),
    "num_processes": ("QPM_NUM_PROCESSES", "JAX_NUM_PROCESSES", "NUM_PROCESSES"),
    "process_id": (
        "QPM_PROCESS_ID",
        "JAX_PROCESS_ID",
        "PROCESS_ID",
        "JOB_COMPLETION_INDEX",
    ),
}

# How many processes the schedulers that JAX knows say there are.
_COUNTS = {
    "SLURM": ("SLURM_NTASKS", ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_PROCID")),
    "Open MPI": ("OMPI_COMM_WORLD_SIZE", ("OMPI_MCA_orte_hnp_uri",)),
}


@dataclass(frozen=True)
class Membership:
    """One process's place in a job.

    Attributes:
      coordinator: `host:port` of the first process; "": JAX finds all three itself.
      num_processes: How many there are.
      process_id: Which one this is, from 0.
    """

    coordinator: str
    num_processes: int
    process_id: int


def membership(
    environment: Mapping[str, str],
    coordinator: str = "",
    num_processes: int = 0,
    process_id: int = -1,
) -> Membership | None:
    """Returns this process's place in a job; None where it is alone.

    Args:
      environment: Such as `os.environ`.
      coordinator: As in `initialize`.
      num_processes: As in `initialize`.
      process_id: As in `initialize`.

    Raises:
      ValueError: Some of the three are known, but not all, or they contradict.
    """
    coordinator = coordinator or _first_set(environment, "coordinator")
    # Other programs number processes too; that alone makes no job of ours.
    ours = any(names[0] in environment for names in _VARIABLES.values())
    if not (ours or coordinator or num_processes or process_id >= 0):
        return Membership("", 0, 0) if _scheduled(environment) else None
    known: dict[str, Any] = {
        "coordinator": coordinator,
        "num_processes": num_processes or _number(environment, "num_processes"),
        "process_id": process_id
        if process_id >= 0
        else _number(environment, "process_id"),
    }
    if known["num_processes"] == 1:
        return None
    missing = [name for name, value in known.items() if value in (None, "")]
    if missing:
        raise ValueError(
            "A job of several processes needs coordinator (HOST:PORT of process 0), "
            f"num_processes and process_id; missing: {', '.join(missing)}. Give "
            + " and ".join(f"--{name} or {_VARIABLES[name][0]}" for name in missing)
            + ", or --cluster=none to stay alone."
        )
    return _checked(Membership(**known))


def _checked(joined: Membership) -> Membership | None:
    host, _, port = joined.coordinator.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(
            f"coordinator is {joined.coordinator!r}; it takes HOST:PORT of process 0, "
            "such as node001:12345."
        )
    if not 0 <= joined.process_id < joined.num_processes:
        raise ValueError(
            f"process_id is {joined.process_id} of num_processes = "
            f"{joined.num_processes}; it must lie from 0 to num_processes - 1."
        )
    return joined if joined.num_processes > 1 else None


def _first_set(environment: Mapping[str, str], argument: str) -> str:
    values = (environment.get(name, "") for name in _VARIABLES[argument])
    return next(filter(None, values), "")


def _number(environment: Mapping[str, str], argument: str) -> int | None:
    text = _first_set(environment, argument)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise ValueError(
            f"{argument} is {text!r} in the environment; it must be a whole number."
        ) from error


def _scheduled(environment: Mapping[str, str]) -> bool:
    """Whether a scheduler that JAX knows started several processes, this one of them.

    Inside a SLURM job but not under `srun` a process is alone, whatever SLURM_NTASKS
    says. On TPU machines of Kubernetes the hosts are listed.
    """
    for count, marks in _COUNTS.values():
        if (
            all(mark in environment for mark in marks)
            and _count(environment, count) > 1
        ):
            return True
    return "," in environment.get("TPU_WORKER_HOSTNAMES", "")


def _count(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name, "")
    return int(text) if text.isdigit() else 0

"""Flags that make a process one of a job of several, on one machine or on many.

Nothing is to be given under `srun` or `mpirun`, nor where the variables
QPM_COORDINATOR, QPM_NUM_PROCESSES and QPM_PROCESS_ID are set; see docs/clusters.md.
"""

import logging

from absl import flags

from qpm_jax import distributed

CLUSTER = flags.DEFINE_enum(
    "cluster",
    "auto",
    ["auto", "jax", "none"],
    "auto: joins a job where flags, variables, SLURM or Open MPI speak of one; jax: "
    "leaves that to JAX, as Cloud TPU machines need; none: stays alone.",
)
COORDINATOR = flags.DEFINE_string(
    "coordinator", "", "HOST:PORT of process 0; or QPM_COORDINATOR."
)
NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes", 0, "How many processes the job has; or QPM_NUM_PROCESSES."
)
PROCESS_ID = flags.DEFINE_integer(
    "process_id", -1, "Which of them this is, from 0; or QPM_PROCESS_ID."
)
HEARTBEAT = flags.DEFINE_integer(
    "heartbeat_seconds",
    distributed.HEARTBEAT_SECONDS,
    "Silence after which a process counts as dead, and the job ends.",
    lower_bound=10,
)


def join() -> None:
    """Joins the job there is; of its processes the first one tells how it goes."""
    distributed.initialize(
        COORDINATOR.value,
        NUM_PROCESSES.value,
        PROCESS_ID.value,
        CLUSTER.value,
        HEARTBEAT.value,
    )
    if not distributed.is_first():
        logging.getLogger("qpm_jax").setLevel(logging.WARNING)


def tell(text: str) -> None:
    """Prints a result, once for the whole job."""
    if distributed.is_first():
        print(text)

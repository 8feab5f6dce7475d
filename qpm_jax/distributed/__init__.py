"""Many devices and many hosts: who takes part, where arrays lie, who writes files.

JAX does the work: its multi-controller runtime connects the processes of a job, and its
compiler adds the communication to programs over arrays that lie on one mesh. What is
here says where arrays lie; what is computed is the same on any number of devices.
"""

from qpm_jax.distributed.hosts import (
    HEARTBEAT_SECONDS,
    by_first,
    from_all,
    initialize,
    is_first,
    once,
    several_hosts,
)
from qpm_jax.distributed.membership import Membership, membership
from qpm_jax.distributed.mesh import AXIS, along_rows, make_mesh, replicated
from qpm_jax.distributed.placement import (
    check_batch_size,
    gathered,
    local_rows,
    place,
    place_rows,
    round_up,
    state_shardings,
    to_host,
)

__all__ = [
    "AXIS",
    "HEARTBEAT_SECONDS",
    "Membership",
    "along_rows",
    "by_first",
    "check_batch_size",
    "from_all",
    "gathered",
    "initialize",
    "is_first",
    "local_rows",
    "make_mesh",
    "membership",
    "once",
    "place",
    "place_rows",
    "replicated",
    "round_up",
    "several_hosts",
    "state_shardings",
    "to_host",
]

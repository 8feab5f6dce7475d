"""One mesh with one axis over all devices; every other module takes it from here.

The axis serves for the rows of a batch, for parts of parameters and for the classes of
the statistics alike: at any moment one thing is divided, so one axis is enough.
"""

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

AXIS = "devices"


def make_mesh(num_devices: int = 0) -> Mesh:
    """Returns the mesh of the job.

    Devices are in the order of their hosts, so that a host's rows of a batch are
    neighbours. The compiler decides on communication (`AxisType.Auto`).

    Args:
      num_devices: How many devices to use; 0: all. Several hosts use all of theirs.

    Raises:
      ValueError: There are fewer devices, or several hosts are to use a part.
    """
    devices = sorted(jax.devices(), key=lambda d: (d.process_index, d.id))
    if not 0 <= num_devices <= len(devices):
        raise ValueError(
            f"config.parallel.devices is {num_devices}; it takes 1 to {len(devices)}, "
            "the devices there are, or 0 for all of them."
        )
    if num_devices not in (0, len(devices)) and jax.process_count() > 1:
        raise ValueError(
            f"config.parallel.devices is {num_devices}, but several hosts use all of "
            f"their {len(devices)} devices; set it to 0."
        )
    chosen = np.array(devices[: num_devices or None])
    return Mesh(chosen, (AXIS,), axis_types=(AxisType.Auto,))


def replicated(mesh: Mesh) -> NamedSharding:
    """Returns the placement of an array that lies whole on every device."""
    return NamedSharding(mesh, PartitionSpec())


def along_rows(mesh: Mesh) -> NamedSharding:
    """Returns the placement of an array whose first axis is divided evenly."""
    return NamedSharding(mesh, PartitionSpec(AXIS))

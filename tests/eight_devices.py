"""Saves a state that lies on eight devices; a process of its own, for eight devices."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from qpm_jax import checkpoints


def state():
    random = np.random.default_rng(0)
    return {
        "kernel": jnp.asarray(random.normal(size=(16, 24)), jnp.float32),
        "count": jnp.int32(7),
    }


def on(count, zero=False):
    """The state, or zeros like it, with the kernel divided over `count` devices."""
    mesh = jax.make_mesh(
        (count,), ("data",), axis_types=(AxisType.Auto,), devices=jax.devices()[:count]
    )
    rows = NamedSharding(mesh, PartitionSpec("data"))
    everywhere = NamedSharding(mesh, PartitionSpec())
    values = jax.tree.map(jnp.zeros_like, state()) if zero else state()
    return jax.device_put(values, {"kernel": rows, "count": everywhere})


def main(folder):
    assert jax.device_count() == 8
    for saved in (8, 2):
        with checkpoints.open_manager(f"{folder}/{saved}") as manager:
            checkpoints.save(manager, 1, on(saved))
            manager.wait_until_finished()
            for count in (8, 2, 1):
                template = on(count, zero=True)
                restored = checkpoints.restore_latest(manager, template)
                for name, leaf in state().items():
                    assert np.array_equal(restored[name], leaf)
                    assert restored[name].sharding == template[name].sharding
                assert len(restored["kernel"].sharding.device_set) == count
            with_single = checkpoints.restore_latest(manager, state())
            assert np.array_equal(with_single["kernel"], state()["kernel"])


if __name__ == "__main__":
    main(sys.argv[1])

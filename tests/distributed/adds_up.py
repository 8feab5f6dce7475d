"""One process of a job that adds up numbers until one of its processes dies."""

import sys

import jax
import numpy as np

from qpm_jax import distributed

distributed.initialize(heartbeat_seconds=int(sys.argv[1]))
mesh = distributed.make_mesh()
ones = distributed.place_rows(mesh, np.ones(1, np.float32), jax.process_count())
add_up = jax.jit(jax.numpy.sum, out_shardings=distributed.replicated(mesh))
for number in range(100_000):
    assert float(add_up(ones)) == jax.process_count()
    if number == 3:
        sys.stdout.write("adding\n")
        sys.stdout.flush()

"""What all hosts of a job do at the same step, whichever of them wished for it.

Steps and checkpoints are joint work: a host that stopped or saved alone would leave
the others waiting for it. A scheduler may warn one host only, and clocks differ.
"""

import jax
import numpy as np

# Steps between questions where there are several hosts; each waits for the devices.
EVERY = 20


def asks(step: int) -> bool:
    """Whether this is a step at which hosts ask each other; alone, each one is."""
    return jax.process_count() == 1 or step % EVERY == 0


def any_host(*wishes: bool) -> tuple[bool, ...]:
    """Returns each wish, or'ed over all hosts, which must all ask at the same step."""
    if jax.process_count() == 1:
        return wishes
    from jax.experimental import multihost_utils

    gathered = multihost_utils.process_allgather(np.array(wishes))
    return tuple(np.any(gathered, axis=0).tolist())

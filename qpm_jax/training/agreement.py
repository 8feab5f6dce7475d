"""What all hosts of a job do at the same step, whichever of them wished for it.

Steps, passes over a split and checkpoints are joint work: a host that stopped or saved
alone would leave the others waiting for it. A scheduler may warn one host only, and
clocks differ.
"""

import jax
import numpy as np

from qpm_jax import stopping

# Steps, or batches of a pass, between questions where there are several hosts; each
# waits for the devices.
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


def leave_if_asked(number: int = 0) -> None:
    """Ends all hosts of a job here if one of them was asked to end.

    To be called at the same places by all of them where nothing is trained: what was
    begun is then begun again by the run that goes on. Alone it does nothing, as a
    notice ends a process that is alone at once.

    Args:
      number: Of the batch or piece of work that comes next; not each is a question.

    Raises:
      Stopped: A notice came to this host or another one.
    """
    if jax.process_count() == 1 or not asks(number):
        return
    notice = stopping.heard()
    if any_host(bool(notice))[0]:
        raise stopping.Stopped(
            f"{notice} came." if notice else "Another host was asked to end."
        )

"""Kills processes that write checkpoints and reads what they left; see its test."""

import multiprocessing
import os
import random
import sys
import time

ROUNDS = 5
SIZE = 400_000  # numbers in a state, so that a write takes a while


def write(folder, first):
    """Writes checkpoint after checkpoint until the process is killed."""
    import jax.numpy as jnp

    from qpm_jax import checkpoints

    with checkpoints.open_manager(folder) as manager:
        for step in range(first, 10_000):
            state = {"a": jnp.full(SIZE, float(step)), "b": jnp.int32(step)}
            checkpoints.save(manager, step, state)


def read(folder, answer):
    """Tells which checkpoint is the latest, or what is wrong with it."""
    import jax.numpy as jnp
    import numpy as np

    from qpm_jax import checkpoints

    template = {"a": jnp.zeros(SIZE), "b": jnp.int32(0)}
    with checkpoints.open_manager(folder) as manager:
        latest = manager.latest_step()
        state = checkpoints.restore_latest(manager, template)
    step = None if state is None else int(state["b"])
    whole = step is None or bool(np.all(np.asarray(state["a"]) == step))
    answer.put((whole and step == latest, step))


def main(folder):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["orbax.checkpoint", "qpm_jax.checkpoints"])
    chance, step = random.Random(0), 0
    for _ in range(ROUNDS):
        writer = context.Process(target=write, args=(folder, step + 1))
        writer.start()
        while not os.path.isdir(folder) or not os.listdir(folder):
            time.sleep(0.01)
        time.sleep(chance.uniform(0.3, 1.0))
        writer.kill()
        writer.join()
        answer = context.Queue()
        reader = context.Process(target=read, args=(folder, answer))
        reader.start()
        whole, found = answer.get(timeout=240)
        reader.join()
        left = [name for name in os.listdir(folder) if not name.isdigit()]
        assert len(left) <= 1, f"{left} are left of killed writes"
        assert whole, f"the checkpoint of step {found} is not whole"
        assert (found or 0) >= step, f"step {step} is lost"
        step = found or 0
    assert step > 0


if __name__ == "__main__":
    main(sys.argv[1])

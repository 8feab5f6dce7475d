"""Trains the tiny run for long, as a launcher does: long_run.py WORKDIR."""

import importlib.util
import logging
import sys
from pathlib import Path

from qpm_jax import distributed, stopping


def _tiny_run():
    path = Path(__file__).with_name("tiny_run.py")
    specification = importlib.util.spec_from_file_location("tiny_run", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main(workdir):
    logging.basicConfig(level=logging.INFO)
    stopping.listen()
    distributed.initialize()
    from qpm_jax.phases import dense, setting

    tiny = _tiny_run()
    setting.models.create = tiny.network
    values = tiny.config()
    values.dense.epochs = 10_000
    values.checkpoint_seconds = 0.5
    try:
        dense.run(values, workdir, tiny.dataset())
    except stopping.Stopped as stopped:
        logging.warning("Stopped: %s", stopped)
        raise


if __name__ == "__main__":
    main(sys.argv[1])

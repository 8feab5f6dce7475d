"""Serves a page to try a trained run on: upload a photo, see why, switch features off.

python -m launch.demo --workdir=runs/birds
"""

from functools import partial

from absl import flags

import qpm_jax
from launch import app
from qpm_jax.demo import serve

HOST = flags.DEFINE_string(
    "host", "127.0.0.1", "Address to listen on; 0.0.0.0 lets other machines in."
)
PORT = flags.DEFINE_integer("port", 7860, "Port; 0 takes any that is free.")
EXAMPLES = flags.DEFINE_integer(
    "examples", 8, "Test images to offer, where the data set is at hand.", 0, 50
)


def main() -> None:
    """Serves until Ctrl-C."""
    run = qpm_jax.load(app.workdir())
    announce = partial(print, flush=True)
    serve.serve(run, HOST.value, PORT.value, EXAMPLES.value, announce)


if __name__ == "__main__":
    flags.mark_flags_as_required(["workdir"])
    app.run(main)

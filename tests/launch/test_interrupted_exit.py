"""How a command ends that a signal interrupted: in order, but not with a tear-down."""

import subprocess
import sys

import pytest

COMMAND = """
import atexit, os
from launch import app
from qpm_jax import stopping

class HalfMade:
    def __del__(self, write=os.write):
        write(2, b"freed with the interpreter")

half_made = HalfMade()

def action():
    atexit.register(lambda: print("what waits for the end"))
    print("what was said", end=" ")
    raise {raised}

app.run(action)
"""


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        ("stopping.Stopped('SIGTERM came.')", 85, "Stopped: SIGTERM came."),
        ("KeyboardInterrupt", 130, "Interrupted."),
    ],
)
def test_what_waits_for_the_end_is_done_and_nothing_is_freed(raised, status, words):
    code = COMMAND.format(raised=raised)
    done = subprocess.run(
        [sys.executable, "-c", code, "--stopped_status=85"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert done.stdout == "what was said what waits for the end\n"
    assert words in done.stderr
    assert "freed" not in done.stderr

"""Checkpoints across processes: killed while they write, and on other devices."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def _run(script, folder, **environment):
    done = subprocess.run(
        [sys.executable, HERE / script, folder],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr


def test_a_process_killed_while_it_writes_leaves_whole_checkpoints(tmp_path):
    _run("kill_while_writing.py", tmp_path / "c")


def test_a_state_saved_on_some_devices_comes_back_on_more_and_on_fewer(tmp_path):
    flags = "--xla_force_host_platform_device_count=8"
    _run("eight_devices.py", tmp_path, XLA_FLAGS=flags)

"""A scheduler's warning to one host of a job; real processes."""

import re
import signal
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LONG_RUN = Path(__file__).with_name("long_run.py")


def _wait_for(condition, job, seconds=240):
    deadline = time.monotonic() + seconds
    while not condition():
        assert all(process.poll() is None for process in job.processes), job.said(0)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_all_hosts_stop_at_the_step_of_one_checkpoint_and_fewer_or_more_go_on(
    start_job, tmp_path
):
    steps = tmp_path / "run" / "dense" / "checkpoints"
    job = start_job([LONG_RUN, tmp_path / "run"], 2)
    _wait_for(lambda: steps.exists() and any(steps.glob("[1-9]*")), job)
    job.processes[1].send_signal(signal.SIGTERM)
    assert job.wait() == [0, 0], job.said(0) + job.said(1)
    told = [
        re.search(r"Stopped: dense: the checkpoint of step (\d+) is", job.said(number))
        for number in range(2)
    ]
    newest = max(int(path.name) for path in steps.iterdir())
    assert [int(match[1]) for match in told] == [newest, newest]

    for count in (1, 2):  # fewer, then more
        newest = max(int(path.name) for path in steps.iterdir())
        resumed = start_job([LONG_RUN, tmp_path / "run"], count)
        _wait_for(
            lambda job=resumed: "dense: goes on from step" in job.said(0), resumed
        )
        resumed.processes[0].send_signal(signal.SIGTERM)
        assert resumed.wait() == [0] * count, resumed.said(0)
        assert f"dense: goes on from step {newest}\n" in resumed.said(0)
        assert "DAMAGED" not in resumed.said(0)

"""Jobs of real processes end when one of them dies, whichever it is."""

import signal
import time

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jobs(start_job):
    """Two jobs of two processes, without process 0 and 1, each with when that died.

    Both at once: what takes long is to wait until a process is missed.
    """
    jobs = [start_job(["adds_up.py", 10], 2) for _ in range(2)]
    killed = []
    for victim, job in enumerate(jobs):
        while "adding" not in job.said(1 - victim):
            assert job.processes[1 - victim].poll() is None, job.said(1 - victim)
            time.sleep(0.1)
        job.processes[victim].send_signal(signal.SIGKILL)
        killed.append(time.monotonic())
    return list(zip(jobs, killed, strict=True))


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_dies_ends_the_others_within_a_minute(jobs, victim):
    job, killed = jobs[victim]
    assert job.wait(60)[1 - victim] != 0
    assert time.monotonic() - killed < 60
    said = job.said(1 - victim)
    assert ("Task 1 heartbeat timeout" if victim else "coordination service") in said

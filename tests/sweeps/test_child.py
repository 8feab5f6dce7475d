import signal
import subprocess
import sys
import time

import pytest

from qpm_jax.sweeps import child

GRID = [("num_features", (20, 30))]


def wait(process):
    assert process.wait(60) is not None
    return process.returncode


def test_a_run_logs_into_its_folder_and_is_finished(make_sweep, faults):
    sweep = make_sweep(GRID)
    run = sweep.runs[0]
    assert not child.is_finished(sweep, run)
    assert child.last_words(sweep.folder(run)) == ""
    assert wait(child.start(sweep, run)) == 0
    assert child.is_finished(sweep, run)
    log = (sweep.folder(run) / "output.log").read_text()
    assert log.startswith("$ ")
    assert "works in num_features=20,seed=0" in log


def test_the_last_words_are_those_of_the_last_attempt(make_sweep, faults):
    sweep = make_sweep(GRID)
    run = sweep.runs[0]
    faults[run.name] = {"fails": "dense"}
    assert wait(child.start(sweep, run)) == 3
    words = child.last_words(sweep.folder(run)).splitlines()
    assert words[-1] == "Error: no luck with dense"
    faults[run.name] = {}
    assert wait(child.start(sweep, run)) == 0
    assert child.last_words(sweep.folder(run)) == "works in num_features=20,seed=0"


def test_a_run_that_says_nothing_is_told_so(tmp_path):
    (tmp_path / "output.log").write_text("$ python\n\n")
    assert child.last_words(tmp_path) == "(it printed nothing)"


def test_a_run_that_is_under_way_is_not_made_a_second_time(make_sweep, faults):
    sweep = make_sweep(GRID)
    run, other = sweep.runs
    faults[run.name] = {"seconds": 60}
    process = child.start(sweep, run)
    handed = []
    with pytest.raises(child.BusyError, match="another process makes this run"):
        child.start(sweep, run, before=lambda: handed.append("phases"))
    assert not handed
    assert wait(child.start(sweep, other)) == 0
    child.end(process)
    assert process.returncode == -signal.SIGTERM
    faults.clear()
    assert wait(child.start(sweep, run)) == 0


def test_who_does_not_end_in_time_is_killed():
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(); "
        "time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-S", "-u", "-c", deaf],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process.stdout:
        process.stdout.readline()
        started = time.monotonic()
        child.end(process, grace=0.1)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 30


def test_nobody_to_end_is_no_matter():
    child.end()

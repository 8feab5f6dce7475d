import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from qpm_jax.sweeps import all_fingerprints, child, run_side_by_side
from qpm_jax.training import logs

FEATURES = ("num_features", (20, 30))


def make(sweep, jobs=2, hear=lambda line: None):
    """Makes the runs; returns failures and what was said."""
    said = []

    def report(line):
        said.append(line)
        hear(line)

    failures = run_side_by_side(
        sweep, sweep.runs, all_fingerprints(sweep), jobs, report=report
    )
    return failures, said


def test_all_runs_are_made_and_first_phases_are_shared(make_sweep, faults):
    sweep = make_sweep([FEATURES], seeds=(0, 1))
    failures, said = make(sweep)
    assert failures == []
    assert all(child.is_finished(sweep, run) for run in sweep.runs)
    assert sum(line.startswith("finished") for line in said) == 4
    assert any(
        "num_features=30,seed=1 (dense, statistics from" in line for line in said
    )
    for run in sweep.runs:
        donor = f"num_features=20,seed={run.seed}"
        by = {r["phase"]: r["run"] for r in logs.read(sweep.folder(run))}
        assert by["dense"] == by["statistics"] == donor
        assert by["assign"] == by["explain"] == run.name


def test_what_is_finished_is_passed_over(make_sweep, faults, finish):
    sweep = make_sweep([FEATURES])
    finish(sweep.folder(sweep.runs[0]))
    _, said = make(sweep)
    assert not any("num_features=20" in line.split("from")[0] for line in said)
    assert make(sweep) == ([], [])


def test_a_failed_run_is_named_and_the_others_go_on(make_sweep, faults):
    sweep = make_sweep([FEATURES])
    faults["num_features=20,seed=0"] = {"fails": "assign"}
    (failure,), said = make(sweep)
    assert failure.run.name == "num_features=20,seed=0"
    assert failure.reason == "exit status 3"
    assert failure.words.endswith("Error: no luck with assign")
    assert "failed    num_features=20,seed=0: exit status 3" in said
    assert child.is_finished(sweep, sweep.runs[1])
    by = {r["phase"]: r["run"] for r in logs.read(sweep.folder(sweep.runs[1]))}
    assert by["dense"] == "num_features=20,seed=0"


def test_where_a_donor_fails_the_next_run_trains_itself(make_sweep, faults):
    sweep = make_sweep([FEATURES])
    faults["num_features=20,seed=0"] = {"fails": "dense"}
    failures, _ = make(sweep)
    assert len(failures) == 1
    assert child.is_finished(sweep, sweep.runs[1])


def test_a_run_that_ends_in_good_order_without_its_last_phase_has_failed(
    make_sweep, faults
):
    sweep = make_sweep([FEATURES])
    faults["num_features=30,seed=0"] = {"stops": "finetune"}
    (failure,), _ = make(sweep)
    assert failure.reason == "ended before its last phase"


def test_a_run_that_is_under_way_elsewhere_is_named(make_sweep, faults):
    sweep = make_sweep([FEATURES], until="evaluate")
    faults["num_features=20,seed=0"] = {"seconds": 60}
    process = child.start(sweep, sweep.runs[0])
    (failure,), _ = make(sweep)
    assert "another process makes this run" in failure.reason
    child.end(process)


@contextlib.contextmanager
def pressed(sweep, sent):
    """Sends us a signal once the first run is said to be, and is, under way.

    Yields what has to hear that it is said.
    """
    started = threading.Event()

    def hear(line):
        if line.startswith("started"):
            started.set()

    def press():
        # A run that has begun to print may not be known to its parent yet.
        started.wait()
        log = sweep.folder(sweep.runs[0]) / "output.log"
        while not (log.exists() and "works in" in log.read_text()):
            time.sleep(0.01)
        os.kill(os.getpid(), sent)

    thread = threading.Thread(target=press, daemon=True)
    thread.start()
    yield hear
    thread.join()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_runs_in_order(make_sweep, faults, sent):
    sweep = make_sweep([FEATURES])
    faults["num_features=20,seed=0"] = {"seconds": 60}
    before = signal.getsignal(signal.SIGTERM)
    with pressed(sweep, sent) as told, pytest.raises(KeyboardInterrupt):
        make(sweep, hear=told)
    assert signal.getsignal(signal.SIGTERM) == before
    faults.clear()
    assert make(sweep)[0] == []  # nobody holds the run any more


def test_ctrl_c_while_a_run_is_being_started_leaves_no_run_behind(
    make_sweep, faults, monkeypatch
):
    sweep = make_sweep([FEATURES])
    faults["num_features=20,seed=0"] = {"seconds": 60}
    start = child.start

    def pressed_just_then(*arguments):
        process = start(*arguments)
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(child, "start", pressed_just_then)
    with pytest.raises(KeyboardInterrupt):
        make(sweep)
    monkeypatch.setattr(child, "start", start)
    faults.clear()
    assert make(sweep)[0] == []  # nobody holds the run any more


def test_who_hears_sigterm_already_goes_on_hearing_it(make_sweep, faults):
    sweep = make_sweep([FEATURES])
    faults["num_features=20,seed=0"] = {"seconds": 60}

    def hear(number, frame):
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, hear)
    try:
        with pressed(sweep, signal.SIGTERM) as told, pytest.raises(SystemExit):
            make(sweep, hear=told)
    finally:
        signal.signal(signal.SIGTERM, before)
    faults.clear()
    assert make(sweep)[0] == []


def test_a_run_that_is_killed_says_by_what(make_sweep, faults):
    sweep = make_sweep([("num_features", (20,))])
    faults["num_features=20,seed=0"] = {"seconds": 60}
    found = []

    def kill(line):
        deadline = time.monotonic() + 30
        while line.startswith("started") and not found and time.monotonic() < deadline:
            for path in os.listdir("/proc"):
                if path.isdigit() and _is_ours(path, sweep):
                    os.kill(int(path), signal.SIGKILL)
                    found.append(path)

    (failure,) = run_side_by_side(
        sweep, sweep.runs, all_fingerprints(sweep), report=kill
    )
    assert found
    assert failure.reason == "ended by SIGKILL"


def _is_ours(pid, sweep):
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return False
    return str(sweep.folder(sweep.runs[0])) in words


def test_it_works_outside_the_main_thread(make_sweep, faults):
    sweep = make_sweep([("num_features", (20,))])
    thread = threading.Thread(target=make, args=(sweep,))
    thread.start()
    thread.join()
    assert child.is_finished(sweep, sweep.runs[0])


def test_no_jobs_are_refused(make_sweep):
    with pytest.raises(ValueError, match="jobs is 0; it must be at least 1"):
        make(make_sweep([FEATURES]), jobs=0)

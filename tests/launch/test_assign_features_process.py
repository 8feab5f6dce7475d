"""`launch.assign` for features of any framework, as a user calls it."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios

import numpy as np
import pytest

from qpm_jax import files

pytestmark = pytest.mark.slow


def _start(*flags, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "launch.assign", *flags],
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


def _finish(process):
    stdout, stderr = process.communicate(timeout=240)
    return process.returncode, stdout, stderr


def _features(path, count=40, classes=6, **changes):
    random = np.random.default_rng(0)
    labels = np.arange(50 * classes) % classes
    values = random.normal(size=(len(labels), count))
    values += np.arange(count)[None] % classes == labels[:, None]
    fields = {"features": values, "labels": 10 * labels - 20, **changes}
    np.savez(path, **{name: v for name, v in fields.items() if v is not None})
    return f"--features={path}"


def test_features_become_an_assignment_beside_the_file(tmp_path):
    flag = _features(tmp_path / "mine.npz", is_train=np.arange(300) < 240)
    flags = ("--num_features=8", "--per_class=3", "--forced_in=7,9", "--forced_out=0")
    status, stdout, stderr = _finish(_start(flag, *flags, "--time_limit=10"))
    assert status == 0, stderr
    assert stderr == ""
    folder = tmp_path / "mine-assignment"
    assert f"Written to {folder}" in stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "assignment.json",
        "assignment.npz",
        "trace.csv",
        "trace.png",
    ]
    arrays = files.read_arrays(folder / "assignment.npz")
    assert arrays["classes"].tolist() == [-20, -10, 0, 10, 20, 30]
    assert {7, 9} <= set(arrays["selected"])
    assert 0 not in arrays["selected"]
    assert arrays["assignment"].sum(axis=1).tolist() == [3] * 6
    facts = files.read_json(folder / "assignment.json")
    assert facts["bound"] >= facts["objective"] > 0
    assert len((folder / "trace.csv").read_text().splitlines()) > 2


def test_statistics_and_a_bias_give_a_first_selection_in_no_time(tmp_path):
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "mine.npz",
        A=random.normal(size=(12, 4)),
        R=np.eye(12),
        b=np.zeros(12),
    )
    bias = np.zeros(12)
    bias[5] = 1e4
    np.savetxt(tmp_path / "bias.txt", bias)
    status, _, stderr = _finish(
        _start(
            f"--features={tmp_path / 'mine.npz'}",
            f"--output={tmp_path / 'out'}",
            f"--bias_file={tmp_path / 'bias.txt'}",
            *("--num_features=5", "--per_class=1,2,3,1", "--noredundancy"),
            "--time_limit=0",
        )
    )
    assert status == 0, stderr
    facts = json.loads((tmp_path / "out" / "assignment.json").read_text())
    assert facts["status"] == "time_limit"
    assert 5 in facts["selected"]
    assert [len(row) for row in facts["classes"].values()] == [1, 2, 3, 1]


@pytest.fixture
def terminal():
    """A terminal of 24 lines: the end to read from and the end to write to."""
    ends = pty.openpty()
    termios.tcsetwinsize(ends[1], (24, 100))
    yield ends
    os.close(ends[0])


def _read_on(end):
    """What a terminal shows next; nothing once no process holds it open any more."""
    try:
        return os.read(end, 4096).decode()
    except OSError:
        return ""


def test_a_terminal_shows_the_state_and_ctrl_c_keeps_the_best_so_far(
    tmp_path, terminal
):
    random = np.random.default_rng(0)
    mixed = random.normal(size=(3000, 40)) @ random.normal(size=(40, 400))
    flag = _features(tmp_path / "mine.npz", 400, 60, features=mixed)
    process = _start(flag, "--time_limit=600", stderr=terminal[1])
    os.close(terminal[1])
    shown = more = _read_on(terminal[0])
    while more and "objective " not in shown:
        shown += (more := _read_on(terminal[0]))
    process.send_signal(signal.SIGINT)
    while more:
        shown += (more := _read_on(terminal[0]))
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130, shown
    assert "\robjective " in shown
    assert "Interrupted; the best assignment so far is in" in shown
    assert "Traceback" not in shown
    assert stdout.startswith("interrupted: objective ")
    facts = files.read_json(tmp_path / "mine-assignment" / "assignment.json")
    assert facts["status"] == "interrupted"
    assert len(facts["selected"]) == 50


@pytest.mark.parametrize("kind", ["neither", "both", "number", "folder"])
def test_bad_input_ends_in_one_line(tmp_path, kind):
    flag = _features(tmp_path / "mine.npz")
    (tmp_path / "file").write_text("")
    flags, message = {
        "neither": (["--num_features=3"], "give --features=FILE.npz to solve"),
        "both": ([flag, "--workdir=runs"], "--features and --workdir do not go tog"),
        "number": ([flag, "--forced_in=1,two"], "--forced_in=1,two must be whole"),
        "folder": (
            [flag, "--num_features=9", f"--output={tmp_path / 'file'}"],
            "cannot be written",
        ),
    }[kind]
    status, stdout, stderr = _finish(_start(*flags))
    assert status == 1
    assert stdout == ""
    assert stderr.startswith("Error: ")
    assert message in stderr
    assert stderr.count("\n") == 1


def test_the_form_of_a_run_takes_no_flag_of_the_other(trained, command):
    done = subprocess.run(
        command("assign", trained), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        command("assign", trained, "--forced_in=1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Unknown command line flag 'forced_in'" in done.stderr

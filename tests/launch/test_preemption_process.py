"""Real processes that a scheduler ends or kills."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def kill_and_resume():
    """The benchmark, which is no part of the installed package."""
    return pytest.importorskip(
        "benchmarks.kill_and_resume", reason="needs the repository's benchmarks"
    )


def _start(command):
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _wait_for(condition, process, seconds=240):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be told to"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_training_that_gets_sigterm_writes_a_checkpoint_and_exits_with_0(
    tmp_path, command
):
    steps = tmp_path / "run" / "dense" / "checkpoints"
    # The flag for GPUs is one that every backend must take.
    process = _start(command("dense", tmp_path / "run", "--deterministic"))
    _wait_for(lambda: steps.exists() and any(steps.glob("[1-9]*")), process)
    process.send_signal(signal.SIGTERM)
    words = process.communicate(timeout=240)[1]
    assert process.returncode == 0
    newest = max(int(path.name) for path in steps.iterdir())
    assert f"Stopped: dense: the checkpoint of step {newest} is written." in words
    assert "Traceback" not in words
    assert not (tmp_path / "run" / "dense" / "done.json").exists()


@pytest.mark.parametrize("solver", ["native", "highs"])
def test_a_solve_that_gets_a_scheduler_s_signal_ends_in_order_and_leaves_no_half(
    tmp_path, solver
):
    random = np.random.default_rng(0)
    labels = np.arange(200) % 40
    features = random.normal(size=(200, 300)) + labels[:, None] * random.normal(
        size=300
    )
    np.savez(tmp_path / "features.npz", features=features, labels=labels)
    process = _start(
        [
            *(sys.executable, "-m", "launch.assign", f"--solver={solver}"),
            *(f"--features={tmp_path / 'features.npz'}", "--num_features=30"),
            *("--per_class=5", "--time_limit=60", f"--output={tmp_path / 'out'}"),
            "--stopped_status=85",
        ]
    )
    _wait_for((tmp_path / "out").exists, process)
    time.sleep(1.0)
    process.send_signal(signal.SIGUSR1)
    words = process.communicate(timeout=240)[1]
    assert process.returncode == 85, words
    assert "Stopped: SIGUSR1 came." in words
    assert not any((tmp_path / "out").iterdir())


def test_trainings_killed_at_random_moments_lose_nothing(kill_and_resume):
    done = subprocess.run(
        [sys.executable, "-m", kill_and_resume.__name__, "--rounds=2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 rounds" in done.stdout


def test_a_process_that_broke_its_promise_is_told(kill_and_resume):
    broken, wrongly = kill_and_resume.broken_promise, kill_and_resume.resumed_wrongly
    told = "Stopped: dense: the checkpoint of step 7 is written."
    assert not broken(signal.SIGKILL, -9, "", 3)
    assert not broken(signal.SIGTERM, 0, told, 7)
    assert "newest is 3" in broken(signal.SIGTERM, 0, told, 3)
    assert "ended with 1" in broken(signal.SIGTERM, 1, "Traceback", 3)
    assert not wrongly("goes on from step 7", 7)
    assert "not taken" in wrongly("goes on from step 3", 7)
    assert "damaged" in wrongly("DAMAGED goes on from step 7", 7)

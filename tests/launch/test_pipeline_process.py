"""The launchers as real processes: what they print, and that no kill loses work."""

import signal
import subprocess
import time

import jax
import numpy as np
import pytest

import qpm_jax

pytestmark = pytest.mark.slow


def _wait_for(condition, process, seconds=240):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _kill_when(command, condition):
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _wait_for(condition, process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_the_pipeline_prints_the_table_and_the_place_of_the_report(trained):
    printed = (trained / "stdout.txt").read_text()
    assert "SID@5" in printed
    assert f"Report: {trained}/explain/report.html" in printed
    assert (trained / "explain" / "report.html").exists()


def test_a_run_killed_in_both_trainings_ends_at_the_same_parameters(
    trained, tmp_path, command
):
    workdir = tmp_path / "killed"
    run = command("pipeline", workdir)
    for phase in ("dense", "finetune"):
        steps = workdir / phase / "checkpoints"
        _kill_when(
            run, lambda steps=steps: steps.exists() and any(steps.glob("[1-9]*"))
        )
        assert not (workdir / phase / "done.json").exists()
    run.append("--config.checkpoint_seconds=30")
    subprocess.run(run, check=True, capture_output=True)
    whole, killed = qpm_jax.load(trained), qpm_jax.load(workdir)
    assert np.array_equal(whole.selected, killed.selected)
    assert np.array_equal(whole.assignment, killed.assignment)
    same = jax.tree.map(np.array_equal, whole.variables, killed.variables)
    assert jax.tree.all(same)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "num_featurs=3",
            "config.num_featurs does not exist. Did you mean num_features",
        ),
        (
            "dataset.options.colour=1",
            "'folder' has no option colour; allowed: root, test_fraction",
        ),
    ],
)
def test_a_setting_that_does_not_exist_ends_in_one_line_that_names_those_that_do(
    tmp_path, refusal, setting, message
):
    assert message in refusal("dense", tmp_path / "run", f"--config.{setting}")


def test_a_full_disk_ends_in_one_line_and_leaves_a_run_that_can_go_on(
    tmp_path, command
):
    """A limit on the size of files makes writes fail as a full disk does."""
    workdir = tmp_path / "run"
    limited = ["bash", "-c", 'ulimit -f 40; exec "$@"', "bash"]
    run = command("dense", workdir, "--config.dense.epochs=2")
    done = subprocess.run([*limited, *run], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    # What Orbax's writers say before it is theirs; the last word is ours.
    last = [line for line in done.stderr.splitlines() if line.startswith("Error:")][-1]
    assert "no space left to write" in last
    assert "run the same command again" in last
    subprocess.run(run, check=True, capture_output=True)
    assert (workdir / "dense" / "done.json").exists()

"""`launch.sweep` as a process: two cells, two seeds, one dense training a seed."""

import os
import subprocess
import sys

import pytest

from qpm_jax.phases import workdir as folders

pytestmark = pytest.mark.slow

SHORT = ("--config.dense.epochs=2", "--config.finetune.epochs=1")
GRID = ("--grid=per_class=2,3", "--seeds=0,1", "--until=evaluate")


def call(command, workdir, *flags):
    return subprocess.run(
        command("sweep", workdir, *SHORT, *flags),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def swept(tmp_path_factory, command):
    """A finished sweep, the run in its way at first, and what both calls said."""
    workdir = tmp_path_factory.mktemp("sweep") / "swept"
    blocked = workdir / "per_class=3,seed=1"
    blocked.mkdir(parents=True)
    (blocked / "config.json").write_text('{"seed"')
    # One at a time: two at once would both compile what the others find compiled.
    first = call(command, workdir, *GRID, "--jobs=1")
    (blocked / "config.json").unlink()
    second = call(command, workdir, *GRID)
    return workdir, first, second


def test_a_failed_run_is_named_with_its_log_and_the_others_go_on(swept):
    _, first, _ = swept
    assert first.returncode == 1
    assert "per_class=3,seed=1 failed (exit status 1)" in first.stderr
    assert "config.json is not valid JSON" in first.stderr
    assert "1 of 4 runs failed. The same command tries them again" in first.stderr
    assert "1 of 4 runs are not finished." in first.stdout
    assert "per_class=3,seed=0 (dense, statistics from per_class=2" in first.stderr


def test_the_same_command_makes_what_is_missing(swept):
    workdir, _, second = swept
    assert second.returncode == 0, second.stderr
    assert "4 runs, 3 of them finished already" in second.stderr
    assert f"Table and plot: {workdir}/table.md" in second.stdout
    assert (workdir / "plot.png").exists()
    assert len((workdir / "table.csv").read_text().splitlines()) == 1 + 1 + 2


def test_each_seed_has_one_dense_training_and_each_run_is_whole(swept):
    workdir, _, _ = swept
    for seed in (0, 1):
        one, other = (workdir / f"per_class={k},seed={seed}" for k in (2, 3))
        for phase in ("dense", "statistics"):
            assert folders.facts(one, phase) == folders.facts(other, phase)
        assert folders.is_done(other, "evaluate")
        assert folders.read_config(other).per_class == 3
        assert (other / "dense" / "model").is_dir()


def test_a_third_call_starts_nothing_and_collecting_needs_no_configuration(
    swept, command
):
    workdir, _, _ = swept
    before = (workdir / "table.md").read_text()
    (workdir / "table.md").unlink()
    third = call(command, workdir, *GRID)
    assert "4 of them finished already" in third.stderr
    assert "started" not in third.stderr
    assert (workdir / "table.md").read_text() == before
    collected = subprocess.run(
        [sys.executable, "-m", "launch.sweep", f"--workdir={workdir}", "--collect"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert collected.stdout == third.stdout


def test_another_sweep_in_the_same_folder_is_refused(swept, command):
    workdir, _, _ = swept
    done = call(command, workdir, "--grid=num_features=6,8")
    assert done.returncode == 1
    assert "holds a sweep over per_class; this one is over num_features" in done.stderr


def test_mistakes_end_in_one_line_before_anything_starts(tmp_path, refusal):
    said = refusal("sweep", tmp_path / "none", *SHORT, "--grid=per_class=8")
    assert "which gives only 1 different sets of features" in said
    assert not (tmp_path / "none").exists()


def test_a_printed_command_hands_a_new_run_what_is_there(swept, command):
    workdir, _, _ = swept
    more = ("--grid=per_class=1,2", "--seeds=0", "--until=evaluate", "--print")
    printed = call(command, workdir, *more)
    assert "2 runs, 1 of them finished already" in printed.stderr
    hands_on, trains = printed.stdout.strip().split(" && ")
    assert trains.startswith("python -m launch.pipeline")
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        ["bash", "-ec", hands_on.replace("python -m", f"{sys.executable} -m")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert "per_class=1,seed=0: dense, statistics from per_class=" in done.stderr
    assert folders.is_done(workdir / "per_class=1,seed=0", "statistics")

import os
import re
import sys

import pytest

from qpm_jax.sweeps import Resources, all_fingerprints, child, submit
from qpm_jax.sweeps.cluster import Job, minutes
from qpm_jax.training import logs

GRID = [("num_features", (20, 30, 50))]

_SBATCH = """#!{python} -S
import pathlib, sys
folder = pathlib.Path(__file__).parent
number = 100 + len(list(folder.glob("script*")))
(folder / f"script{{number}}").write_text(pathlib.Path(sys.argv[-1]).read_text())
print("Submitted batch job", number)
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A scheduler that takes every script and never begins one; its folder."""
    pytest.importorskip("submitit")
    folder = tmp_path / "slurm_bin"
    folder.mkdir()
    for name, text in (("sbatch", _SBATCH), ("srun", "#!/bin/sh\n")):
        (folder / name).write_text(text.format(python=sys.executable))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def options_in(script):
    return dict(re.findall(r"#SBATCH --([\w-]+)=(\S+)", script.read_text()))


def test_each_wave_is_an_array_that_waits_for_the_one_before(make_sweep, slurm):
    sweep = make_sweep(GRID, seeds=(0, 1))
    resources = Resources(
        minutes=90, partition="gpu", gpus=1, cpus=8, options={"account": "birds"}
    )
    jobs = submit(sweep, sweep.runs, all_fingerprints(sweep), resources)
    assert [job for job, _ in jobs] == [
        *("100_0", "100_1"),
        *("101_0", "101_1", "101_2", "101_3"),
    ]
    assert jobs[0][1].name == "num_features=20,seed=0"
    first, second = (options_in(slurm / f"script{number}") for number in (100, 101))
    assert first["array"].startswith("0-1")
    assert (first["time"], first["partition"], first["account"]) == (
        *("90", "gpu"),
        "birds",
    )
    assert first["gpus-per-node"] == "1"
    assert first["cpus-per-task"] == "8"
    assert "mem" not in first
    assert "dependency" not in first
    assert second["array"].startswith("0-3")
    assert second["dependency"] == "afterany:100"


def test_submitit_makes_runs_here_and_one_that_fails_stops_no_other(make_sweep, faults):
    pytest.importorskip("submitit")
    sweep = make_sweep(GRID)
    faults[sweep.runs[1].name] = {"fails": "assign"}
    prints = all_fingerprints(sweep)
    jobs = submit(sweep, sweep.runs, prints, Resources(), cluster="debug")
    assert [run.name for _, run in jobs] == [run.name for run in sweep.runs]
    finished = [child.is_finished(sweep, run) for run in sweep.runs]
    assert finished == [True, False, True]


def test_jobs_make_their_runs_and_take_over(make_sweep, faults):
    sweep = make_sweep(GRID[:1])
    for run in sweep.runs:
        Job(str(sweep.workdir), run.name)()
    assert all(child.is_finished(sweep, run) for run in sweep.runs)
    by = {r["phase"]: r["run"] for r in logs.read(sweep.folder(sweep.runs[2]))}
    assert by["dense"] == "num_features=20,seed=0"
    Job(str(sweep.workdir), sweep.runs[0].name)()  # finished already


def test_a_job_that_fails_raises_with_the_last_lines_of_its_log(make_sweep, faults):
    sweep = make_sweep(GRID)
    faults[sweep.runs[0].name] = {"fails": "dense"}
    with pytest.raises(RuntimeError, match=r"seed=0 failed:\n.*\n?Error: no luck"):
        Job(str(sweep.workdir), sweep.runs[0].name)()


def test_at_its_time_limit_a_job_goes_back_into_the_queue():
    pytest.importorskip("submitit")
    job = Job("folder", "name")
    assert job.checkpoint().function == job


def test_a_run_ends_with_its_job(make_sweep, faults, monkeypatch):
    sweep = make_sweep(GRID)
    faults[sweep.runs[0].name] = {"seconds": 60}
    started = []
    start = child.start

    def interrupted(*arguments, **options):
        process = start(*arguments, **options)
        started.append(process)
        wait = process.wait

        def stop(*seconds):
            process.wait = wait
            raise SystemExit(-1)

        process.wait = stop
        return process

    monkeypatch.setattr(child, "start", interrupted)
    with pytest.raises(SystemExit):
        Job(str(sweep.workdir), sweep.runs[0].name)()
    assert started[0].returncode is not None


def test_without_slurm_the_other_ways_are_named(make_sweep, tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    sweep = make_sweep(GRID)
    with pytest.raises(ValueError, match=r"SLURM did not take the runs.*--print"):
        submit(sweep, sweep.runs, all_fingerprints(sweep), Resources())


def test_without_submitit_its_extra_is_named(make_sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    sweep = make_sweep(GRID)
    with pytest.raises(ValueError, match=r"pip install 'qpm-jax\[slurm\]'"):
        submit(sweep, sweep.runs, all_fingerprints(sweep), Resources())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90),
        ("90:30", 91),
        ("4:00:00", 240),
        ("1:30:01", 91),
        ("1-12", 2160),
        ("2-01:30:00", 2970),
    ],
)
def test_time_limits_are_read_as_slurm_writes_them(text, expected):
    assert minutes(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "4h", "1:2:3:4"])
def test_other_time_limits_are_refused(text):
    with pytest.raises(ValueError, match="such as 90, 4:00:00"):
        minutes(text)

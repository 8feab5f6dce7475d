"""Two real processes on this machine give what one gives."""

import json
import shutil

import jax
import numpy as np
import pytest

from qpm_jax.files import read_arrays
from qpm_jax.phases import dense, setting

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(tmp_path_factory, run_job):
    """A run that one process took through every phase but the report."""
    workdir = tmp_path_factory.mktemp("processes") / "alone"
    phases = ("dense", "statistics", "assign", "finetune", "evaluate")
    run_job(1, workdir, "plain", *phases)
    return workdir


@pytest.fixture(scope="module")
def warned_job(tmp_path_factory, run_job):
    """(work directory, its files, job) of two processes.

    They ran the pipeline until one of them was warned in the pass for the statistics.
    """
    workdir = tmp_path_factory.mktemp("processes") / "shared"
    job = run_job(2, workdir, "warned", "pipeline")
    return workdir, {str(path.relative_to(workdir)) for path in workdir.rglob("*")}, job


@pytest.fixture(scope="module")
def first_job(warned_job, run_job):
    """(work directory, job) of two processes that took the pipeline on from there."""
    workdir, *_ = warned_job
    return workdir, run_job(2, workdir, "sharded", "pipeline")


@pytest.fixture(scope="module")
def second_job(first_job, alone, run_job):
    """The same work directory after two processes went on from the assignment.

    The assignment is that of the run alone: near ties could be decided otherwise.
    """
    workdir, _ = first_job
    shutil.copytree(alone / "assign", workdir / "assign")
    origin = json.loads((workdir / "statistics" / "done.json").read_text())["result"]
    (workdir / "assign" / "begun.json").write_text(json.dumps({"origin": origin}))
    return workdir, run_job(2, workdir, "plain", "finetune", "evaluate")


def _records(workdir, phase):
    """Numbers of the log that do not depend on the clock."""
    lines = (workdir / "log.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    hidden = {"phase", "seconds", "time"}
    return [
        {name: value for name, value in record.items() if name not in hidden}
        for record in records
        if record["phase"] == phase
    ]


def _same_records(one, other, phase):
    records, twins = (_records(workdir, phase) for workdir in (one, other))
    assert len(records) == len(twins) > 0
    for record, twin in zip(records, twins, strict=True):
        assert record == pytest.approx(twin, rel=1e-4, abs=1e-6)


def _variables(tiny, workdir, monkeypatch):
    monkeypatch.setattr(setting.models, "create", tiny.network)
    prepared = setting.prepare(tiny.config(), workdir, tiny.dataset())
    return dense.final_variables(prepared)


def test_two_processes_with_divided_parameters_train_what_one_trains(
    alone, first_job, tiny, monkeypatch
):
    workdir, _ = first_job
    _same_records(alone, workdir, "dense")
    one, other = (_variables(tiny, w, monkeypatch) for w in (alone, workdir))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), one, other
    )


def test_hosts_leave_in_the_middle_of_a_pass_when_one_of_them_is_warned(warned_job):
    _, kept, job = warned_job
    assert "Stopped: Another host was asked to end." in job.said(0)
    assert "Stopped: SIGTERM came." in job.said(1)
    for number in range(2):
        assert "20 batches" in job.said(number)
        assert "21 batches" not in job.said(number)
    assert "dense/done.json" in kept
    assert not kept & {"statistics/statistics.npz", "statistics/done.json"}


def test_two_processes_write_the_statistics_of_one(alone, first_job):
    one, other = (
        read_arrays(folder / "statistics" / "statistics.npz")
        for folder in (alone, first_job[0])
    )
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=0, atol=2e-5)


def test_several_processes_stop_before_the_program_and_name_the_command(first_job):
    workdir, job = first_job
    assert "python -m launch.assign --cluster=none" in job.said(0)
    assert "Then the same command here goes on" in job.said(0)
    assert "launch.assign" not in job.said(1)
    assert not (workdir / "assign").exists()


def test_each_process_says_who_it_is(first_job):
    _, job = first_job
    for number in range(2):
        assert f"process {number} of 2 is on" in job.said(number)


def test_two_processes_fine_tune_and_measure_what_one_does(alone, second_job):
    workdir, _ = second_job
    _same_records(alone, workdir, "finetune")
    one, other = (
        json.loads((folder / "evaluate" / "metrics.json").read_text())
        for folder in (alone, workdir)
    )
    for model in ("dense", "qpm"):
        for name, value in one[model].items():
            assert other[model][name] == pytest.approx(value, abs=2e-3), name


def test_processes_that_have_found_different_images_end_before_any_step(
    start_job, tmp_path
):
    job = start_job(["tiny_run.py", tmp_path / "run", "differing", "dense"], 2)
    assert 0 not in job.wait()
    for number in range(2):
        assert "The hosts have found different images of tiny" in job.said(number)
    assert not (tmp_path / "run").exists()


def test_how_many_took_part_is_written_down(second_job):
    done = json.loads((second_job[0] / "finetune" / "done.json").read_text())
    assert (done["devices"], done["processes"]) == (2, 2)

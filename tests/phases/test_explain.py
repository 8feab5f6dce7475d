"""The last phase: a report and a sheet, with the names a person gave kept."""

import shutil

import pytest

from qpm_jax import explain, files
from qpm_jax.phases import assign, inputs
from qpm_jax.phases import explain as phase
from qpm_jax.phases import workdir as folders


@pytest.fixture
def workdir(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    return copy


def test_the_report_shows_every_class_and_where_the_run_came_from(finished):
    text = (finished / "explain" / "report.html").read_text()
    for name in inputs.read(finished).class_names:
        assert f"<h3>{name}</h3>" in text
    assert "duration in seconds" in text
    assert "processors" in text
    assert "Upper bound" in text
    assert "Faithfulness" in text


def test_names_outlive_the_report_and_are_used_in_it(workdir, config, dataset):
    channel = int(assign.read_assignment(workdir)[0][2])
    explain.write_feature_names(workdir, {channel: "bright corner"})
    folders.mark_done(workdir, "evaluate", 0.0)  # another result: explain is stale
    phase.run(config, workdir, dataset)
    assert explain.feature_names(workdir) == {channel: "bright corner"}
    folder = workdir / "explain"
    assert 'value="bright corner"' in (folder / "report.html").read_text()
    named = [f["name"] for f in files.read_json(folder / "sheet.json")["features"]]
    assert named[2] == "bright corner"
    assert folders.is_done(workdir, "explain")


def test_names_that_cannot_be_leave_the_old_report(workdir, config, dataset):
    path = workdir / "explain" / "names.json"
    files.write_text(path, '{"99999": "nothing"}')
    with pytest.raises(ValueError, match="names feature 99999"):
        phase.run(config, workdir, dataset)
    assert path.exists()
    assert folders.is_done(workdir, "explain")


def test_a_run_without_a_trace_is_still_reported(workdir, config, dataset):
    (workdir / "assign" / "trace.csv").unlink()
    phase.run(config, workdir, dataset)
    assert "Objective and bound" not in (workdir / "explain/report.html").read_text()

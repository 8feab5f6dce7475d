"""The launcher of the regression experiments as a real process, on digits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).with_name("tiny_regression_config.py")


def _command(workdir, *flags):
    return [
        *(sys.executable, "-m", "launch.regression"),
        *(f"--config={CONFIG}", f"--workdir={workdir}", *flags),
    ]


@pytest.mark.slow
def test_an_experiment_prints_its_tables_and_keeps_lines_and_pictures(tmp_path):
    work = tmp_path / "work"
    done = subprocess.run(
        _command(work), capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "Accuracy in %" in done.stdout
    assert f"Written to {work}" in done.stdout
    lines = (work / "runs.jsonl").read_text().splitlines()
    assert {json.loads(line)["model"] for line in lines} == {"mip", "logistic"}
    assert (work / "figures" / "accuracy.png").exists()
    assert (work / "figures" / "weights-10.png").exists()


@pytest.mark.slow
def test_a_key_that_does_not_exist_ends_in_one_line_with_the_nearest(tmp_path):
    done = subprocess.run(
        _command(tmp_path, "--config.size=3"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Did you mean sizes" in done.stderr
    assert "Traceback" not in done.stderr

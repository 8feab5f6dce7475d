"""The launcher of the networks' experiments as a real process, on Iris."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).with_name("tiny_networks_config.py")


def _command(workdir, *flags):
    return [
        *(sys.executable, "-m", "launch.networks"),
        *(f"--config={CONFIG}", f"--workdir={workdir}", *flags),
    ]


@pytest.mark.slow
def test_an_experiment_with_networks_runs_and_prints_its_table(tmp_path):
    work = tmp_path / "work"
    done = subprocess.run(
        _command(work), capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "| milp |" in done.stdout
    assert f"Written to {work}" in done.stdout
    (line,) = (work / "runs.jsonl").read_text().splitlines()
    assert json.loads(line)["figures"]["milp"]["test_accuracy"] > 0.8
    assert (work / "figures" / "network-iris-seed0.png").exists()


@pytest.mark.slow
def test_a_key_of_networks_that_does_not_exist_ends_in_one_line(tmp_path):
    done = subprocess.run(
        _command(tmp_path, "--config.seed=3"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Did you mean seeds" in done.stderr
    assert "Traceback" not in done.stderr

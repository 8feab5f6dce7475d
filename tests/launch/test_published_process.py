"""`launch.published` as a user calls it, on a file that an export wrote."""

import json
import subprocess

import pytest

import qpm_jax
from qpm_jax import export

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export.save_folder(qpm_jax.load(trained), folder)
    return folder / "model.safetensors"


def test_a_network_in_a_file_gets_the_table_of_its_run(
    file, trained, command, tmp_path
):
    done = subprocess.run(
        command("published", tmp_path / "new", f"--file={file}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "new" / "metrics.json").read_text())["qpm"]
    run = json.loads((trained / "evaluate" / "metrics.json").read_text())["qpm"]
    assert found["accuracy"] == pytest.approx(run["accuracy"])
    assert f"{100 * run['accuracy']:.1f}%" in done.stdout


def test_a_missing_file_ends_in_one_line(refusal, tmp_path):
    file = tmp_path / "no.safetensors"
    said = refusal("published", tmp_path / "new", f"--file={file}")
    assert "no.safetensors" in said.strip().splitlines()[-1]

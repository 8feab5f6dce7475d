"""`launch.export`: flags in, files out."""

import subprocess
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

import qpm_jax


def test_a_run_is_written_in_the_form_asked_for(run, tmp_path, monkeypatch, capsys):
    from launch import export

    monkeypatch.setattr(qpm_jax, "load", lambda workdir: run)
    flags.FLAGS.mark_as_parsed()
    out = str(tmp_path / "out")
    with flagsaver.flagsaver(workdir="somewhere", to="safetensors", out=out):
        export.main()
    assert capsys.readouterr().out == f"Written: {out}\n"
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"model.safetensors", "config.json", "README.md"}


@pytest.mark.parametrize(
    ("form", "words"),
    [("safetensors", "is a file; .* writes a folder"), ("torch", "is a folder")],
)
def test_a_place_of_the_wrong_kind_is_refused(run, tmp_path, monkeypatch, form, words):
    from launch import export

    monkeypatch.setattr(qpm_jax, "load", lambda workdir: run)
    flags.FLAGS.mark_as_parsed()
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" if form == "safetensors" else tmp_path)
    with (
        flagsaver.flagsaver(workdir="somewhere", to=form, out=out),
        pytest.raises(ValueError, match=words),
    ):
        export.main()


@pytest.mark.slow
def test_a_folder_without_a_run_is_one_line(tmp_path):
    command = [sys.executable, "-m", "launch.export", f"--workdir={tmp_path}"]
    command += ["--to=stablehlo", f"--out={tmp_path / 'out'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "holds no run" in done.stderr
    assert "Traceback" not in done.stderr

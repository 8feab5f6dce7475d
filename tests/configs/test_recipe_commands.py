"""The command of each published row: one for the paper's five seeds."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import configs
from qpm_jax import datasets

ROWS = ("cub_cropped", "cub_whole", "stanford_cars", "traveling_birds", "imagenet")
OPTION = "--config.dataset.options."
FOLDER = Path(configs.__file__).parent


def _commands(text):
    """The words of each command in a text."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if "python -m launch." in line]


@pytest.fixture(params=ROWS)
def row(request):
    return request.param, importlib.import_module(f"configs.{request.param}")


def test_a_command_runs_five_seeds_with_options_the_data_set_has(row):
    name, module = row
    (words,) = _commands(module.__doc__)
    assert words[:4] == ["python", "-m", "launch.sweep", f"--config=configs/{name}.py"]
    assert "--seeds=0,1,2,3,4" in words
    given = [word.removeprefix(OPTION) for word in words if word.startswith(OPTION)]
    options = {word.partition("=")[0] for word in given}
    assert "root" in options
    assert options <= set(datasets.options(module.get_config().dataset.name))


def test_the_page_of_results_has_the_same_commands():
    page = FOLDER.parent / "docs/results.md"
    if not page.is_file():
        pytest.skip("installed without its pages")
    modules = [importlib.import_module(f"configs.{name}") for name in ROWS]
    commands = [_commands(module.__doc__)[0] for module in modules]
    section = page.read_text("utf-8").split("\n## Published recipes\n")[1]
    *found, of_a_file = _commands(section.split("\n## ")[0])
    assert found == commands
    assert of_a_file[2] == "launch.published"
    assert len({next(w for w in words if "workdir" in w) for words in commands}) == 5


@pytest.mark.slow
def test_without_the_files_a_command_ends_in_the_one_that_prepares_them(tmp_path):
    (words,) = _commands(importlib.import_module("configs.traveling_birds").__doc__)
    words = [re.sub("=(runs/|Trav|CUB_200)", rf"={tmp_path}/\1", w) for w in words]
    words = [word.replace("=configs", f"={FOLDER}") for word in words]
    done = subprocess.run(
        [sys.executable, *words[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    message = f"Error: No run is possible: root {tmp_path}/TravelingBirds has no CUB"
    assert message in done.stderr
    assert "`mkdir TravelingBirds && curl -L https://worksheets.coda" in done.stderr
    assert not list(tmp_path.iterdir())

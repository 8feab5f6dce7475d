"""Flags that several launchers have: one definition each, whoever is imported first."""

import json
import subprocess
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

from launch import last_phase, seeds


@pytest.fixture(autouse=True)
def _parsed():
    flags.FLAGS.mark_as_parsed()


ASKS_ALL = """
import importlib, json, pkgutil
from absl import flags
import launch
names = [f"launch.{module.name}" for module in pkgutil.iter_modules(launch.__path__)]
for name in names:
    importlib.import_module(name)
key_flags = {n: flags.FLAGS.get_key_flags_for_module(n) for n in names}
print(json.dumps({n: [flag.name for flag in key_flags[n]] for n in names}))
"""


def test_all_launchers_can_be_imported_in_one_process_and_show_what_they_share():
    done = subprocess.run(
        [sys.executable, "-c", ASKS_ALL], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert "until" in shown["launch.pipeline"]
    assert {"until", "seeds"} <= set(shown["launch.sweep"])
    assert "seeds" in shown["launch.ablation"]


def test_seeds_are_those_given_or_the_launchers_own():
    assert seeds.chosen([7]) == [7]
    with flagsaver.flagsaver(seeds=["0", "2"]):
        assert seeds.chosen([7]) == [0, 2]


def test_a_seed_that_is_no_whole_number_is_refused():
    with (
        flagsaver.flagsaver(seeds=["0", "x"]),
        pytest.raises(ValueError, match="--seeds has 'x'; seeds are whole numbers"),
    ):
        seeds.chosen([7])


def test_the_last_phase_is_one_that_the_launcher_can_end_with():
    assert last_phase.chosen() == "explain"
    with flagsaver.flagsaver(until="dense"):
        assert last_phase.chosen() == "dense"
        with pytest.raises(ValueError, match="'dense'; it takes evaluate, explain"):
            last_phase.chosen(("evaluate", "explain"))

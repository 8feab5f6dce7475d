import json
import os

import pytest

from qpm_jax.config import default
from qpm_jax.phases import sharing
from qpm_jax.phases import workdir as folders
from qpm_jax.training import logs

ALL = sharing.SHAREABLE


def write(folder, phases, results=None):
    """A run with these phases finished; their results have the folder's name."""
    origin = None
    for phase in phases:
        (folder / phase / "checkpoints").mkdir(parents=True)
        (folder / phase / "checkpoints" / "weights").write_text(folder.name)
        (folder / phase / "begun.json").write_text(json.dumps({"origin": origin}))
        origin = f"{results or folder.name} {phase}"
        (folder / phase / "done.json").write_text(json.dumps({"result": origin}))
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps({"phase": phase, "step": 1, "by": folder.name}) + "\n")
    return folder


@pytest.mark.parametrize(
    ("key", "value", "common"),
    [
        ("num_features", 20, ("dense", "statistics")),
        ("assign.redundancy", False, ("dense", "statistics")),
        ("finetune.epochs", 3, ("dense", "statistics", "assign")),
        ("dense.epochs", 3, ()),
        ("seed", 1, ()),
        ("model.name", "resnet18", ()),
        ("evaluation_batch_size", 3, ALL),
    ],
)
def test_runs_have_the_phases_in_common_before_the_first_other_setting(
    key, value, common
):
    other = default()
    other.update_from_flattened_dict({key: value})
    prints = sharing.fingerprints(default()), sharing.fingerprints(other)
    assert sharing.common_phases(*prints) == common


def test_finished_phases_are_handed_on_and_stand_without_their_donor(tmp_path):
    source = write(tmp_path / "a", ["dense", "statistics", "assign"])
    target = tmp_path / "b"
    taken = sharing.take_over(source, target, ("dense", "statistics"))
    assert taken == ("dense", "statistics")
    assert folders.is_done(target, "statistics")
    assert not (target / "assign").exists()
    assert json.loads((target / "dense" / "taken_over.json").read_text()) == {
        "from": "a"
    }
    assert [r["phase"] for r in logs.read(target)] == ["dense", "statistics"]
    folders.begin(source, "dense")
    (source / "dense" / "checkpoints" / "weights").unlink()
    assert folders.is_done(target, "statistics")
    assert (target / "dense" / "checkpoints" / "weights").read_text() == "a"


def test_only_what_the_donor_has_finished_is_handed_on(tmp_path):
    source = write(tmp_path / "a", ["dense"])
    assert sharing.take_over(source, tmp_path / "b", ALL) == ("dense",)
    assert sharing.take_over(source, tmp_path / "b", ALL) == ()


def test_a_run_keeps_what_it_has_finished_itself(tmp_path):
    source = write(tmp_path / "a", ["dense", "statistics"])
    target = write(tmp_path / "b", ["dense"])
    assert sharing.take_over(source, target, ALL) == ()
    assert (target / "dense" / "checkpoints" / "weights").read_text() == "b"


def test_what_follows_from_the_same_result_is_added(tmp_path):
    source = write(tmp_path / "a", ["dense"])
    target = tmp_path / "b"
    sharing.take_over(source, target, ALL)
    origin = folders.facts(source, "dense")["result"]
    (source / "statistics").mkdir()
    (source / "statistics" / "begun.json").write_text(json.dumps({"origin": origin}))
    (source / "statistics" / "done.json").write_text(json.dumps({"result": "s"}))
    assert sharing.take_over(source, target, ALL) == ("statistics",)


def test_what_a_run_has_only_begun_gives_way_with_its_records(tmp_path):
    source = write(tmp_path / "a", ["dense"])
    target = write(tmp_path / "b", ["dense"])
    (target / "dense" / "done.json").unlink()
    half = target / ".dense.half"
    half.mkdir()
    (half / "left over").touch()
    assert sharing.take_over(source, target, ALL) == ("dense",)
    assert [r["by"] for r in logs.read(target)] == ["a"]
    assert not half.exists()
    assert not (target / "dense" / "left over").exists()


def test_where_there_are_no_hard_links_files_are_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("this file system has none")

    monkeypatch.setattr(os, "link", refuse)
    source = write(tmp_path / "a", ["dense"])
    sharing.take_over(source, tmp_path / "b", ALL)
    copy = tmp_path / "b" / "dense" / "checkpoints" / "weights"
    assert copy.stat().st_nlink == 1
    assert copy.read_text() == "a"

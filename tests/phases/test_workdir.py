import json
import shutil
from dataclasses import replace

import jax
import pytest

from qpm_jax import config as configuration
from qpm_jax.phases import inputs
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.code_version import code_version


def test_a_new_folder_gets_the_configuration(tmp_path):
    config = configuration.default()
    workdir = folders.open_workdir(tmp_path / "run", config)
    assert folders.read_config(workdir).to_dict() == config.to_dict()


def test_settings_of_phases_not_begun_may_change(tmp_path):
    config = configuration.default()
    workdir = folders.open_workdir(tmp_path, config)
    folders.mark_done(workdir, "dense", 1.0)
    config.num_features = 20
    config.finetune.epochs = 3
    folders.open_workdir(tmp_path, config)
    assert folders.read_config(workdir).num_features == 20


def test_settings_a_begun_phase_used_may_not_change(tmp_path):
    config = configuration.default()
    workdir = folders.open_workdir(tmp_path, config)
    folders.mark_done(workdir, "dense", 1.0)
    config.dense.epochs = 3
    with pytest.raises(ValueError, match=r"dense\.epochs: 150 -> 3.*begun: dense"):
        folders.open_workdir(tmp_path, config)


def test_images_may_move_and_a_checksum_may_come_while_a_run_goes_on(tmp_path):
    config = configuration.default()
    with config.unlocked():
        config.dataset.options.root = "here"
        config.dataset.options.cropped = True
    workdir = folders.open_workdir(tmp_path, config)
    folders.mark_done(workdir, "dense", 1.0)
    with config.unlocked():
        config.dataset.options.root = "there"
        config.dataset.options.cache_gigabytes = 0.5
    config.model.weights_sha256 = "0676ba61"
    folders.open_workdir(tmp_path, config)
    config.dataset.options.cropped = False
    with pytest.raises(ValueError, match=r"cropped: True -> False"):
        folders.open_workdir(tmp_path, config)


def test_settings_of_a_phase_that_failed_before_its_first_step_may_change(tmp_path):
    config = configuration.default()
    workdir = folders.open_workdir(tmp_path, config)
    folders.begin(workdir, "dense")
    (workdir / "dense" / "checkpoints").mkdir()
    config.model.weights = "now/spelled/right.npz"
    folders.open_workdir(tmp_path, config)
    assert folders.read_config(workdir).model.weights == "now/spelled/right.npz"


def test_a_missing_phase_is_named_with_its_command(tmp_path):
    with pytest.raises(ValueError, match=r"no finished phase 'assign'.*launch\.assign"):
        folders.require(tmp_path, "assign")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no run"):
        folders.read_config(tmp_path)


def test_a_configuration_cut_short_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"seed"')
    with pytest.raises(ValueError, match=r"config\.json is not valid JSON"):
        folders.open_workdir(tmp_path, configuration.default())


def test_a_done_phase_keeps_its_facts(tmp_path):
    assert folders.facts(tmp_path, "dense") == {}
    folders.mark_done(tmp_path, "dense", 2.5, accuracy=0.75)
    facts = folders.facts(tmp_path, "dense")
    assert (facts["seconds"], facts["accuracy"]) == (2.5, 0.75)
    assert folders.is_done(tmp_path, "dense")


def test_a_done_phase_knows_how_many_devices_shared_its_work(tmp_path, monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 8)
    folders.mark_done(tmp_path, "dense", 1.0, devices=4)
    assert folders.facts(tmp_path, "dense")["devices"] == 4
    folders.mark_done(tmp_path, "assign", 1.0)
    assert folders.facts(tmp_path, "assign")["devices"] == 1


def _inputs(*names):
    return inputs.Inputs(names, (8, 8), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def test_inputs_round_trip(tmp_path):
    inputs.write(tmp_path, _inputs("a", "b"))
    assert inputs.read(tmp_path) == _inputs("a", "b")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "c"), r"missing \['b'\], new \['c'\]"),
        (("b", "a"), "the order has changed"),
    ],
)
def test_another_class_list_is_refused(tmp_path, names, message):
    inputs.write(tmp_path, _inputs("a", "b"))
    _finish(tmp_path, "dense")
    with pytest.raises(ValueError, match=message):
        inputs.write(tmp_path, _inputs(*names))


def test_missing_inputs_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="run its phases again"):
        inputs.read(tmp_path)
    (tmp_path / "inputs.json").write_text(json.dumps({})[:1])
    with pytest.raises(ValueError, match="not valid JSON"):
        inputs.read(tmp_path)


def _finish(workdir, *phases):
    for phase in phases:
        folders.begin(workdir, phase)
        folders.mark_done(workdir, phase, 1.0)


def test_a_phase_that_is_made_again_makes_all_after_it_stale(tmp_path):
    _finish(tmp_path, *folders.PHASES)
    assert all(folders.is_done(tmp_path, phase) for phase in folders.PHASES)
    _finish(tmp_path, "assign")
    done = [folders.is_done(tmp_path, phase) for phase in folders.PHASES]
    assert done == [True, True, True, False, False, False]


def test_a_stale_phase_begins_in_an_empty_folder(tmp_path):
    _finish(tmp_path, "dense", "statistics", "assign", "finetune")
    (tmp_path / "finetune" / "checkpoint").touch()
    _finish(tmp_path, "assign")
    folders.begin(tmp_path, "finetune")
    assert not (tmp_path / "finetune" / "checkpoint").exists()


def test_names_that_a_person_gave_outlive_a_stale_report(tmp_path):
    _finish(tmp_path, *folders.PHASES)
    (tmp_path / "explain" / "names.json").write_text('{"3": "beak"}')
    _finish(tmp_path, "evaluate")
    folders.begin(tmp_path, "explain")
    left = {path.name for path in (tmp_path / "explain").iterdir()}
    assert left == {"begun.json", "names.json"}


def test_a_phase_says_which_code_made_it(tmp_path):
    _finish(tmp_path, "dense")
    assert folders.facts(tmp_path, "dense")["code"] == code_version()


def test_an_interrupted_phase_keeps_its_folder(tmp_path):
    _finish(tmp_path, "dense", "statistics", "assign")
    folders.begin(tmp_path, "finetune")
    (tmp_path / "finetune" / "checkpoint").touch()
    folders.begin(tmp_path, "finetune")
    assert (tmp_path / "finetune" / "checkpoint").exists()


def test_inputs_remember_the_data_set_that_was_given(tmp_path):
    inputs.write(tmp_path, replace(_inputs("a"), dataset="mine"))
    assert inputs.read(tmp_path).dataset == "mine"


def test_a_run_from_before_data_sets_were_remembered_goes_on(tmp_path):
    inputs.write(tmp_path, _inputs("a"))
    _finish(tmp_path, "dense")
    path = tmp_path / "inputs.json"
    older = json.loads(path.read_text())
    del older["dataset"]
    path.write_text(json.dumps(older))
    inputs.write(tmp_path, replace(_inputs("a"), dataset="mine"))
    assert inputs.read(tmp_path).dataset == ""


def test_a_data_set_of_another_name_is_refused_once_a_phase_has_begun(tmp_path):
    inputs.write(tmp_path, replace(_inputs("a"), dataset="mine"))
    _finish(tmp_path, "dense")
    with pytest.raises(ValueError, match="dataset: mine -> yours"):
        inputs.write(tmp_path, replace(_inputs("a"), dataset="yours"))


def test_inputs_follow_the_data_set_until_a_phase_has_begun(tmp_path):
    inputs.write(tmp_path, _inputs("a"))
    inputs.write(tmp_path, _inputs("a", "b"))
    assert inputs.read(tmp_path).class_names == ("a", "b")


def test_other_images_are_refused_once_a_phase_has_begun(tmp_path):
    inputs.write(tmp_path, _inputs("a", "b"))
    _finish(tmp_path, "dense")
    larger = inputs.Inputs(("a", "b"), (16, 16), (0.5,) * 3, (0.25,) * 3)
    with pytest.raises(ValueError, match=r"image_size: \(8, 8\) -> \(16, 16\)"):
        inputs.write(tmp_path, larger)


def test_other_images_are_taken_once_dense_training_is_deleted(tmp_path):
    inputs.write(tmp_path, _inputs("a", "b"))
    _finish(tmp_path, "dense", "statistics", "assign")
    shutil.rmtree(tmp_path / "dense")
    larger = inputs.Inputs(("a", "b"), (16, 16), (0.5,) * 3, (0.25,) * 3)
    inputs.write(tmp_path, larger)
    assert inputs.read(tmp_path) == larger

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from qpm_jax import assignment, files
from qpm_jax.datasets import loader
from qpm_jax.phases import (
    assign,
    dense,
    evaluate,
    explain,
    finetune,
    pipeline,
    statistics,
)
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.setting import prepare
from qpm_jax.training import logs

pytestmark = pytest.mark.slow


def test_every_phase_leaves_its_files(finished):
    for phase in folders.PHASES:
        facts = folders.facts(finished, phase)
        assert facts["seconds"] >= 0
    assert (finished / "explain" / "report.html").stat().st_size > 1000
    assert (finished / "explain" / "sheet.json").exists()


def test_the_statistics_fit_the_network(finished):
    result = statistics.read_statistics(finished)
    assert result.similarity.shape == (192, 4)
    assert np.abs(result.similarity).max() == pytest.approx(1)


def test_the_assignment_gives_each_class_its_own_features(finished):
    selected, assignment = assign.read_assignment(finished)
    assert selected.shape == (8,)
    assert assignment.shape == (4, 8)
    assert np.all(assignment.sum(axis=1) == 3)
    assert len(np.unique(assignment, axis=0)) == 4
    facts = files.read_json(finished / "assign" / "assignment.json")
    lines = (finished / "assign" / "trace.csv").read_text().splitlines()
    assert lines[0] == "seconds,objective,bound,gap"
    assert float(lines[-1].split(",")[1]) == pytest.approx(facts["objective"])
    assert facts["objective"] <= facts["bound"] + 1e-6


def test_both_phases_log_their_epochs(finished):
    records = logs.read(finished)
    epochs = {
        phase: [r["epoch"] for r in records if r["phase"] == phase]
        for phase in ("dense", "finetune")
    }
    assert epochs == {"dense": [1, 2, 3, 4], "finetune": [1, 2]}


def test_the_metrics_are_fractions_and_the_model_has_learnt(finished):
    result = evaluate.read_metrics(finished)
    assert set(result) == {"dense", "qpm", "published"}
    assert set(result["qpm"]) == set(evaluate.METRICS)
    for name, value in result["qpm"].items():
        if value is not None and not name.startswith("features"):
            assert 0 <= value <= 1
    assert result["qpm"]["features"] <= 8
    assert result["qpm"]["features_per_class"] == 3
    assert result["qpm"]["sid_at_5"] is None  # three features are too few for it
    assert result["dense"]["features"] == 192
    assert result["dense"]["accuracy"] > 0.5


def test_what_is_behind_the_metrics_names_features_by_their_channel(finished):
    details = evaluate.read_details(finished)
    metrics = evaluate.read_metrics(finished)
    selected, _ = assign.read_assignment(finished)
    assert set(details["dense"]) == {"faithfulness", "plausibility"}
    qpm = details["qpm"]
    assert list(qpm["features"]) == [str(channel) for channel in selected]
    meanings = [f["monosemanticity"] for f in qpm["features"].values()]
    known = [value for value in meanings if value is not None]
    assert np.mean(known) == pytest.approx(metrics["qpm"]["monosemanticity"])
    assert len(qpm["faithfulness"]["deletion"]) == 9
    for confusion in qpm["confusions"]:
        assert confusion["lead"] == pytest.approx(
            sum(confusion["features"].values()), abs=1e-4
        )


def test_a_run_evaluated_before_there_were_details_is_still_read(tmp_path, finished):
    workdir = tmp_path / "copy"
    shutil.copytree(finished, workdir)
    (workdir / "evaluate" / "details.json").unlink()
    old = files.read_json(workdir / "evaluate" / "metrics.json")
    del old["published"], old["dense"]["deletion"], old["qpm"]["deletion"]
    files.write_json(workdir / "evaluate" / "metrics.json", old)
    assert evaluate.read_details(workdir) == {}
    assert evaluate.read_metrics(workdir)["qpm"]["deletion"] is None
    assert evaluate.read_metrics(workdir)["qpm"]["accuracy"] is not None


def test_the_table_names_every_metric(finished):
    table = evaluate.table(evaluate.read_metrics(finished))
    for metric in evaluate.METRICS.values():
        assert metric.label in table
    assert "%" in table


def test_an_undefined_metric_is_a_dash():
    assert evaluate.format_metric("structural_grounding", None) == "–"


def test_a_finished_run_is_left_alone(finished, config, dataset):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("done.json")}
    pipeline.run(config, finished, dataset)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_phase_needs_the_one_before_it(tmp_path, config, dataset):
    for phase in (statistics, assign, finetune, evaluate, explain):
        with pytest.raises(ValueError, match="no finished phase"):
            phase.run(config, tmp_path / phase.__name__, dataset)


def test_a_run_whose_fine_tuning_is_deleted_makes_the_rest_again(tmp_path, finished):
    import shutil

    workdir = tmp_path / "copy"
    shutil.copytree(finished, workdir)
    shutil.rmtree(workdir / "finetune")
    assert folders.is_done(workdir, "assign")
    assert not folders.is_done(workdir, "evaluate")


def test_an_interrupted_assignment_is_not_done(
    tmp_path, finished, config, dataset, monkeypatch
):
    workdir = tmp_path / "copy"
    shutil.copytree(finished, workdir)
    shutil.rmtree(workdir / "assign")
    solve = assignment.solve

    def interrupted(*arguments, **options):
        return replace(solve(*arguments, **options), status="interrupted")

    monkeypatch.setattr(assignment, "solve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        assign.run(config, workdir, dataset)
    assert not folders.is_done(workdir, "assign")
    kept = files.read_json(workdir / "assign" / "assignment.json")
    assert kept["status"] == "interrupted"


def test_a_finished_training_phase_is_left_alone(finished, config, dataset):
    before = (finished / "dense" / "done.json").read_text()
    dense.run(config, finished, dataset)
    assert (finished / "dense" / "done.json").read_text() == before


def test_an_unknown_last_phase_is_named(tmp_path, config, dataset):
    with pytest.raises(ValueError, match="until is 'end'; phases are dense"):
        pipeline.run(config, tmp_path, dataset, until="end")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_features": 193}, "resnet_small has 192 features"),
        ({"num_features": 0}, "between 1 and 192"),
        ({"per_class": 9}, r"per_class is 9; it must lie between 1 and"),
        ({"num_features": 3, "per_class": 3}, "only 1 different sets.* 4 classes"),
        ({"model.name": "resnet_smal"}, r"config\.model\.name: .*mean resnet_small"),
        ({"model.unbounded_maps": True}, r"config\.model\.unbounded_maps: .*mobilenet"),
        (
            {"model.name": "vit_s_14_dinov2", "model.reduced_strides": True},
            r"config\.model\.reduced_strides: .*one of .*resnet50",
        ),
        (
            {"model.weights_sha256": "0676ba61"},
            r"config\.model\.weights_sha256 is '0676ba61', but there is no file",
        ),
        (
            {"model.weights": "a.npz", "model.weights_sha256": "resnet50"},
            r"weights_sha256 is 'resnet50'; .* 8 to 64 hexadecimal digits",
        ),
        ({"model.weights": "a.npz"}, r"config\.model\.weights: .*for 'resnet_small'"),
        (
            {"model.name": "resnet50", "model.weights": "a.npz"},
            r"config\.model\.weights: no file 'a\.npz'; .*owner/name",
        ),
        ({"evaluate_epochs": 0}, r"evaluate_epochs is 0; it must be at least 1"),
        ({"checkpoint_keep": 0}, r"checkpoint_keep is 0; it must be at least 1"),
        ({"divergence": 0.5}, r"divergence is 0\.5; it must be 0 \(off\) or above 1"),
        ({"finetune.epochs": 0}, r"finetune\.epochs is 0; it must be at least 1"),
        ({"finetune.distillation": 1.5}, r"distillation is 1\.5; it must lie from 0"),
        ({"finetune.temperature": 0.0}, r"temperature is 0\.0; it must be above 0"),
        ({"dense.optimizer": "adam"}, r"dense\.optimizer is 'adam'; .*sgd, adamw"),
        ({"finetune.optimizer": "adam"}, r"finetune\.optimizer is 'adam'"),
        ({"assign.time_limit": -1.0}, r"assign\.time_limit is -1\.0; .*at least 0"),
        ({"assign.solver": "cplex"}, r"solver is 'cplex'; solvers are native"),
        ({"assign.restarts": 0}, r"config\.assign\.restarts is 0 .* at least 1"),
        ({"assign.restarts": 2, "assign.solver": "scip"}, r"restarts is 2 .*'scip'"),
    ],
)
def test_impossible_settings_end_before_any_training(
    tmp_path, config, dataset, changes, message
):
    config.update_from_flattened_dict(changes)
    with pytest.raises(ValueError, match=message):
        dense.run(config, tmp_path / "run", dataset)
    assert not (tmp_path / "run" / "dense").exists()


def test_missing_weights_are_named_before_the_images_are_looked_for(tmp_path, config):
    config.model.name, config.model.weights = "resnet50", str(tmp_path / "a.npz")
    config.dataset.name = "cub"
    with pytest.raises(ValueError, match=r"config\.model\.weights: no file"):
        dense.run(config, tmp_path / "run")


def test_weights_that_dense_training_has_read_are_missed_by_nobody(
    tmp_path, finished, config, dataset
):
    run = tmp_path / "run"
    shutil.copytree(finished / "dense", run / "dense")
    config.model.name, config.model.weights = "resnet50", str(tmp_path / "a.npz")
    prepare(config, run, dataset)


def test_the_settings_are_kept_as_json(finished, config):
    assert json.loads((finished / "config.json").read_text()) == config.to_dict()


def test_processes_that_prepare_batches_change_no_result(
    tmp_path, finished, config, dataset, monkeypatch
):
    started, read = [], loader.read_in_processes

    def note(batches, *arguments):
        started.append(len(batches))
        return read(batches, *arguments)

    monkeypatch.setattr(loader, "read_in_processes", note)
    config.input.workers = 1
    pipeline.run(config, tmp_path / "run", dataset, until="statistics")
    by_processes, by_threads = map(
        statistics.read_statistics, (tmp_path / "run", finished)
    )
    np.testing.assert_allclose(
        by_processes.similarity, by_threads.similarity, atol=1e-5
    )
    # Training, its two evaluations, and the pass of the statistics.
    assert len(started) == 4

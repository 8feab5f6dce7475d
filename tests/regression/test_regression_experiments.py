"""Runs, their records, tables and work directories, on toys of a moment."""

import json
from dataclasses import replace

import numpy as np
import pytest

from qpm_jax.datasets.tables import Table, TextTable
from qpm_jax.regression.experiments import linear_models, settings, study
from qpm_jax.regression.experiments import run_figures as experiment_figures
from qpm_jax.regression.experiments.linear_models import fit
from qpm_jax.regression.experiments.records import (
    read_records,
    weights_path,
    write_outcome,
)
from qpm_jax.regression.experiments.runs import execute, planned_runs

QUICK = {
    "sizes": (6, 9),
    "seeds": (0, 1),
    "pbo": {"time_limit": 2.0},
    "gradient_descent": {"epochs": 3},
}


def _toy(classes=3):
    """Three bits, of which each class has its own most often, and two of noise."""
    random = np.random.default_rng(0)
    labels = np.tile(np.arange(classes), 12)
    features = (random.random((len(labels), classes + 2)) < 0.2).astype(np.uint8)
    features[np.arange(len(labels)), labels] = 1
    names = tuple(f"bit {i}" for i in range(classes + 2))
    return Table("flags", features, labels, tuple("abc"[:classes]), names)


def _texts():
    words = ("red", "green", "blue")
    texts = tuple(f"{words[i % 3]} is number {i + 10}" for i in range(18))
    part = np.arange(18) < 12
    return TextTable("ask_ubuntu", texts, np.arange(18) % 3, words, part)


def _run(**changes):
    config = settings.from_dict(QUICK)
    first = next(run for run in planned_runs(config) if run.model == "mip")
    return replace(first, **changes)


def _models_settings(model, **values):
    return next(
        run.settings
        for run in planned_runs(settings.from_dict({**QUICK, **values}))
        if run.model == model
    )


@pytest.fixture
def toy_study(monkeypatch, tmp_path):
    """Returns a function: values -> records, on the toy and in one work directory."""
    monkeypatch.setattr(study.tables, "load", lambda name, root: _toy())

    def run(draws=False, **values):
        if not draws:  # pictures take longer than all runs
            monkeypatch.setattr(study, "pictures", lambda *args: ())
        config = settings.from_dict({**QUICK, "models": ("mip", "logistic"), **values})
        return study.run(config, tmp_path / "work")

    return run


def test_every_size_seed_share_and_model_is_planned_once():
    runs = list(planned_runs(settings.from_dict(QUICK)))
    assert len(runs) == len(set(runs)) == 2 * 2 * 2 * 4
    assert dict(runs[0].settings)["alpha"] == 2.0
    assert "alpha" not in dict(runs[2].settings)


@pytest.mark.parametrize("model", settings.MODELS)
def test_a_run_has_figures_of_every_model(model):
    run = _run(model=model, settings=_models_settings(model))
    record = execute(_toy(), run).record
    assert record["training_instances"] == 6
    assert record["test_instances"] == 30
    assert 0 <= record["test_accuracy"] <= 1
    assert (record["objective"] is not None) == (model in ("mip", "pbo"))
    if model == "logistic":
        assert record["robust_accuracy"] is None
    else:
        assert record["robust_accuracy"][0] == record["test_accuracy"]


def test_a_proven_program_has_no_gap():
    record = execute(_toy(), _run()).record
    assert record["status"] == "optimal"
    assert record["gap"] == 0.0
    assert record["bound"] == record["objective"]


def test_training_accuracy_is_on_the_labels_that_trained():
    run = _run(corruption=0.5, model="logistic", settings=_models_settings("logistic"))
    clean, wrong = (execute(_toy(), replace(run, corruption=c)) for c in (0.0, 0.5))
    assert np.array_equal(clean.training, wrong.training)
    assert clean.record["training_accuracy"] > wrong.record["test_accuracy"]


def test_texts_have_the_words_of_the_draw_as_features():
    outcome = execute(_texts(), _run(table="ask_ubuntu", draw_from="official_train"))
    assert outcome.training.max() < 12
    assert {"red", "green", "blue"} < set(outcome.table.feature_names)
    # three colours, "is", "number" and a number a text
    assert outcome.record["num_features"] == 5 + 6
    assert outcome.record["test_accuracy"] == 1.0


def test_a_class_that_wrong_labels_emptied_is_never_predicted():
    labels = np.array([0, 0, 2, 2])
    features = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    for model in settings.MODELS:
        own = dict(_models_settings(model))
        predicted = fit(model, features, labels, 0, own).predict(features)
        assert set(predicted) <= {0, 2}
        if model != "gradient_descent":
            assert np.array_equal(predicted, labels)


def test_whole_numbers_are_not_certified_but_have_an_accuracy():
    toy = _toy()
    record = execute(replace(toy, features=toy.features * 2), _run()).record
    assert record["robust_accuracy"] is None
    assert record["test_accuracy"] > 0.5


def test_an_interrupted_solver_ends_the_run(monkeypatch):
    found = replace(linear_models.solve(_problem(), "highs"), status="interrupted")
    monkeypatch.setattr(linear_models, "solve", lambda *args, **kwargs: found)
    with pytest.raises(KeyboardInterrupt):
        execute(_toy(), _run())


def _problem():
    toy = _toy()
    return linear_models.RegressionProblem(toy.features, toy.labels, 3, 2.0, 5.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"draw_from": "official_train"}, "has no official"),
        ({"size": 36}, "leave some instances for testing"),
        ({"size": 37}, "size is 37"),
        ({"model": "forest"}, "model is 'forest'"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        execute(_toy(), _run(**changes))


def test_a_finished_run_is_read_back_as_it_was(tmp_path):
    run = _run()
    outcome = execute(_toy(), run)
    write_outcome(tmp_path, run, outcome)
    assert read_records(tmp_path) == {run: outcome.record}
    with np.load(weights_path(tmp_path, run)) as kept:
        assert np.array_equal(kept["coefficients"], outcome.model.coefficients)
        assert kept["feature_names"][0] == "bit 0"
        shares = np.array(outcome.record["robust_accuracy"])
        assert len(kept["radius"]) == outcome.record["test_instances"]
        right = (kept["radius"] >= np.arange(len(shares))[:, None]).mean(axis=1)
        assert (shares <= right).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"draw_from": "official_train"},
        {"settings": _models_settings("mip", alpha=1.0)},
        {"corruption": 0.1},
    ],
)
def test_runs_that_differ_keep_their_weights_apart(tmp_path, changes):
    run = _run()
    outcome = execute(_toy(), run)
    write_outcome(tmp_path, run, outcome)
    zeros = replace(outcome.model, coefficients=0 * outcome.model.coefficients)
    write_outcome(tmp_path, replace(run, **changes), replace(outcome, model=zeros))
    with np.load(weights_path(tmp_path, run)) as kept:
        assert np.array_equal(kept["coefficients"], outcome.model.coefficients)
    with np.load(weights_path(tmp_path, replace(run, **changes))) as kept:
        assert not kept["coefficients"].any()


def test_equal_runs_share_their_weights_also_where_a_whole_number_is_a_fraction():
    whole = tuple((key, 5 if key == "beta" else v) for key, v in _run().settings)
    assert _run() == _run(settings=whole)
    assert weights_path("work", _run()) == weights_path("work", _run(settings=whole))


def test_a_damaged_line_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "runs.jsonl").write_text('{"table": "flags"}\n')
    with pytest.raises(ValueError, match="remove that line"):
        read_records(tmp_path)


def test_what_is_done_is_not_done_again(toy_study, monkeypatch):
    first = toy_study(sizes=(6,), seeds=(0,))
    done = []
    monkeypatch.setattr(
        study, "execute", lambda source, run: done.append(run) or execute(source, run)
    )
    again = toy_study(sizes=(6,), seeds=(0, 1))
    assert {run.seed for run in done} == {1}
    assert all(again[run] == record for run, record in first.items())


@pytest.mark.parametrize(
    ("size", "message"),
    [(500, "size is 500; it must lie in 3 … 36"), (36, "leave some instances")],
)
def test_a_size_that_cannot_be_drawn_is_refused_before_the_first_run(
    toy_study, monkeypatch, size, message
):
    done = []
    monkeypatch.setattr(study, "execute", lambda *run: done.append(run))
    with pytest.raises(ValueError, match=message):
        toy_study(sizes=(6, size))
    assert not done


def test_a_changed_setting_of_one_model_does_its_runs_again(toy_study):
    first = toy_study(sizes=(6,), seeds=(0,))
    changed = toy_study(sizes=(6,), seeds=(0,), alpha=1.0)
    same = set(first) & set(changed)
    assert {run.model for run in same} == {"logistic"}
    assert {run.model for run in set(changed) - same} == {"mip"}


def test_a_study_that_is_interrupted_keeps_its_finished_runs(
    toy_study, monkeypatch, tmp_path
):
    def stop_at_the_third(source, run):
        if len(read_records(tmp_path / "work")) == 2:
            raise KeyboardInterrupt
        return execute(source, run)

    monkeypatch.setattr(study, "execute", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        toy_study()
    assert len(read_records(tmp_path / "work")) == 2


def test_a_study_writes_lines_a_table_and_pictures(toy_study, tmp_path):
    records = toy_study(draws=True, sizes=(6,))
    lines = (tmp_path / "work" / "runs.jsonl").read_text().splitlines()
    assert len(lines) == len(records) == 2 * 2 * 2
    assert {json.loads(line)["size"] for line in lines} == {6}
    assert "| flags" in (tmp_path / "work" / "table.md").read_text()
    figures = sorted(path.name for path in (tmp_path / "work" / "figures").iterdir())
    names = ["accuracy.png", "corruption-0.1.png", "robustness.png", "weights-6.png"]
    assert figures == names


def test_progress_is_told_from_none_to_all(monkeypatch, tmp_path):
    monkeypatch.setattr(study.tables, "load", lambda name, root: _toy())
    monkeypatch.setattr(study, "pictures", lambda *args: ())
    told = []
    config = settings.from_dict({**QUICK, "sizes": (6,), "models": ("logistic",)})
    study.run(config, tmp_path, lambda *counts: told.append(counts))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_words_and_pixels_have_pictures_of_their_weights(tmp_path):
    digits = replace(_toy(2), image_shape=(2, 2))
    for source, run in (
        (_texts(), _run(table="ask_ubuntu")),
        (digits, _run(table="digits")),
    ):
        outcome = execute(source, run)
        write_outcome(tmp_path, run, outcome)
        drawn = dict(
            experiment_figures.pictures({run: outcome.record}, source, tmp_path)
        )
        assert drawn["weights-6.png"].startswith(b"\x89PNG")


def test_weights_that_are_not_kept_are_not_drawn_and_named(tmp_path, caplog):
    run = _run()
    outcome = execute(_toy(), run)
    drawn = dict(experiment_figures.pictures({run: outcome.record}, _toy(), tmp_path))
    assert set(drawn) == {"accuracy.png", "robustness.png"}
    assert str(weights_path(tmp_path, run)) in caplog.text
    assert "remove its line from runs.jsonl" in caplog.text


def test_without_clean_runs_there_are_no_pictures_and_why_is_said(tmp_path, caplog):
    caplog.set_level("INFO")
    records = {_run(corruption=0.1): {}}
    assert not list(experiment_figures.pictures(records, _toy(), tmp_path))
    assert "no pictures are drawn" in caplog.text
    assert "add 0.0 to config.corruptions" in caplog.text

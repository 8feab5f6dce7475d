"""Metrics of a network in a file are those of the run it was exported from."""

from types import SimpleNamespace

import numpy as np
import pytest

import qpm_jax
from qpm_jax import export
from qpm_jax.phases import evaluate, metric_table, published_network
from qpm_jax.phases import workdir as folders


@pytest.fixture(scope="module")
def exported(finished):
    """The configuration of a run and the state dict of its network."""
    run = qpm_jax.load(finished)
    config = folders.read_config(finished)
    state = export.to_published(config.model.name, run.network.head, run.variables)
    return SimpleNamespace(config=config, state=state)


@pytest.mark.slow
def test_the_metrics_are_those_of_the_run(finished, exported, dataset, tmp_path):
    found = published_network.run(
        exported.config, tmp_path / "new", exported.state, dataset=dataset
    )
    expected = evaluate.read_metrics(finished)["qpm"]
    for name in metric_table.METRICS:
        assert found["qpm"][name] == pytest.approx(expected[name], abs=1e-4), name
    assert (tmp_path / "new" / "metrics.json").exists()
    assert (tmp_path / "new" / "details.json").exists()
    assert "QPM accuracy / dense" not in metric_table.table(found)


@pytest.mark.slow
def test_other_colours_and_the_other_head_are_other_networks(
    exported, dataset, tmp_path, monkeypatch
):
    seen = []
    monkeypatch.setattr(
        published_network.evaluate,
        "measure",
        lambda setting, model, similarity: (seen.append((setting, model)), ({}, {}))[1],
    )
    config = exported.config.copy_and_resolve_references()
    config.model.weights = "owner/nowhere"  # not needed, so not looked for
    published_network.run(
        config,
        tmp_path,
        exported.state,
        "chiqpm",
        normalised=False,
        dataset=dataset,
    )
    ((setting, model),) = seen
    assert (setting.mean, setting.std) == ((0, 0, 0), (1, 1, 1))
    assert isinstance(model.network.head, qpm_jax.models.RectifiedHead)


def test_an_unknown_head_and_another_number_of_classes_are_refused(
    exported, dataset, tmp_path
):
    with pytest.raises(ValueError, match="head is 'senn'; it takes qpm, chiqpm"):
        published_network.run(exported.config, tmp_path, exported.state, "senn")
    weight = exported.state["linear.layer.weight"]
    fewer = {**exported.state, "linear.layer.weight": np.asarray(weight)[:3]}
    with pytest.raises(ValueError, match="has 3 classes, the data set 'tiny' 4"):
        published_network.run(exported.config, tmp_path, fewer, dataset=dataset)

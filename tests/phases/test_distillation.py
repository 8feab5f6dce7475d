"""Fine-tuning that learns from the dense model's answers as well as from the labels."""

import jax
import numpy as np
import pytest

from qpm_jax.phases import dense, finetune, pipeline
from qpm_jax.phases.setting import prepare
from qpm_jax.training import logs

pytestmark = pytest.mark.slow


@pytest.fixture
def begun(monkeypatch):
    """(recipe, first variables) of fine-tuning, which goes its way."""
    seen = []
    fit = finetune.fit

    def noted(setting, phase, recipe, shapes, first_variables, started):
        seen.append((recipe, first_variables()))
        return fit(setting, phase, recipe, shapes, first_variables, started)

    monkeypatch.setattr(finetune, "fit", noted)
    return seen


@pytest.mark.parametrize("parameters", ["replicated", "sharded"])
def test_the_dense_model_teaches(config, dataset, tmp_path, begun, parameters):
    config.finetune.distillation = 0.7
    config.parallel.parameters = parameters
    pipeline.run(config, tmp_path, dataset, until="finetune")
    [(recipe, variables)] = begun
    assert (recipe.distillation, recipe.temperature) == (0.7, 2.0)
    setting = prepare(config, tmp_path, dataset)
    taught = dense.final_variables(setting, setting.places(setting.variable_shapes()))
    same = jax.tree.map(np.array_equal, variables["teacher"], taught)
    assert jax.tree.all(same)
    assert "head" in variables["teacher"]["params"]
    assert "head" not in variables["params"]
    figures = [each for each in logs.read(tmp_path) if each["phase"] == "finetune"]
    assert figures[-1]["test_accuracy"] > 0.25


def test_as_published_no_one_teaches(config, dataset, tmp_path, begun):
    pipeline.run(config, tmp_path, dataset, until="finetune")
    [(recipe, variables)] = begun
    assert recipe.teacher is None
    assert "teacher" not in variables

"""What is frozen is so in both trainings: parameters and running statistics."""

import jax
import jax.numpy as jnp
import pytest

from qpm_jax.phases import dense, finetune, workdir


class _SeenError(Exception):
    """Carries the recipe that a phase would train by."""


@pytest.fixture(params=[dense, finetune], ids=["dense", "finetune"])
def recipe_of(request, monkeypatch):
    """Returns a function: config, data set, folder -> the recipe of a phase."""
    phase = request.param

    def seen(setting, name, recipe, *rest):
        raise _SeenError(recipe)

    def recipe_of(config, dataset, folder):
        with pytest.raises(_SeenError) as caught:
            phase.run(config, folder, dataset)
        return caught.value.args[0]

    monkeypatch.setattr(phase, "fit", seen)
    # Fine-tuning without the phases before it, on any network.
    monkeypatch.setattr(workdir, "has_work", lambda *_: True)
    monkeypatch.setattr(phase, "beginning", lambda *_: 0.0)
    monkeypatch.setattr(finetune, "qpm_network", lambda *_: (None, jnp.zeros((8, 4))))
    return recipe_of


def test_both_trainings_hold_parameters_and_running_statistics(
    recipe_of, config, dataset, tmp_path
):
    config.model.frozen = "backbone/stem"
    recipe = recipe_of(config, dataset, tmp_path / "run")
    assert recipe.frozen == "backbone/stem"
    params = {"backbone": {"stem": jnp.ones(1), "rest": jnp.ones(1)}}
    updates, _ = recipe.optimiser.update(params, recipe.optimiser.init(params), params)
    moved = jax.tree.map(lambda leaf: bool(leaf[0]), updates)
    assert moved == {"backbone": {"stem": False, "rest": True}}

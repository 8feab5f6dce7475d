"""Where dense training begins."""

import sys

import jax
import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.phases import data, dense
from qpm_jax.phases.setting import prepare


@pytest.fixture
def from_weights(config, monkeypatch):
    """The small network's configuration as if weights of it were published."""
    monkeypatch.setattr(models, "find_weights", lambda *_: None)
    config = config.copy_and_resolve_references()
    config.model.weights = "trained.npz"
    return config


def test_weights_that_cannot_be_had_are_named_before_the_photos_are_listed(
    config, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr(data, "load", lambda _: pytest.fail("listed"))
    config = config.copy_and_resolve_references()
    config.model.update(name="resnet18", weights="timm/resnet18.tv_in1k")
    with pytest.raises(ValueError, match=r"config\.model\.weights: 'timm/.*download"):
        prepare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_trained_backbone_gets_a_head_that_starts_at_zero(
    from_weights, dataset, tmp_path, monkeypatch
):
    setting = prepare(from_weights, tmp_path / "run", dataset)
    trained = jax.tree.map(lambda leaf: leaf + 1, setting.initial_variables())
    # The file's head is one of other classes, which is left behind.
    trained["params"]["head"] = {"kernel": np.ones((192, 9)), "bias": np.ones(9)}
    monkeypatch.setattr(models, "load_weights", lambda *_: trained)
    start = dense.start_variables(setting)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(start["params"]["head"]))
    same = jax.tree.map(
        np.array_equal, start["params"]["backbone"], trained["params"]["backbone"]
    )
    assert jax.tree.all(same)


def test_without_epochs_the_pretrained_model_and_its_head_are_the_dense_model(
    from_weights, dataset, tmp_path, monkeypatch
):
    from_weights.dense.epochs = 0
    setting = prepare(from_weights, tmp_path / "run", dataset)
    trained = jax.tree.map(lambda leaf: leaf + 1, setting.initial_variables())
    monkeypatch.setattr(models, "load_weights", lambda *_: trained)
    dense.run(from_weights, tmp_path / "run", dataset)
    final = dense.final_variables(setting)
    assert jax.tree.all(jax.tree.map(np.allclose, final["params"], trained["params"]))


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ({"kernel": np.ones((192, 9)), "bias": np.ones(9)}, "a head of 9 classes"),
        (None, "no head"),
    ],
)
def test_without_epochs_a_head_of_other_classes_is_refused(
    from_weights, dataset, tmp_path, monkeypatch, head, found
):
    from_weights.dense.epochs = 0
    setting = prepare(from_weights, tmp_path / "run", dataset)
    trained = setting.initial_variables()
    trained["params"].pop("head")
    if head:
        trained["params"]["head"] = head
    monkeypatch.setattr(models, "load_weights", lambda *_: trained)
    message = rf"dense\.epochs is 0, but config\.model\.weights has {found} and .* 4 cl"
    with pytest.raises(ValueError, match=message):
        dense.start_variables(setting)


def test_without_epochs_and_without_weights_there_is_no_dense_model(
    config, dataset, tmp_path
):
    config = config.copy_and_resolve_references()
    config.dense.epochs = 0
    with pytest.raises(ValueError, match=r"dense\.epochs is 0; it must be at least 1"):
        prepare(config, tmp_path / "run", dataset)


def test_a_file_with_another_checksum_is_not_trained_from(config, dataset, tmp_path):
    config = config.copy_and_resolve_references()
    config.model.name = "mobilenet_v2_tf"
    config.model.weights = str(tmp_path / "other.npz")
    config.model.weights_sha256 = "0676ba61"
    np.savez(config.model.weights, nothing=np.zeros(1))
    setting = prepare(config, tmp_path / "run", dataset)
    with pytest.raises(ValueError, match=r"sha256: .*other\.npz.* expected 0676ba61"):
        dense.start_variables(setting)

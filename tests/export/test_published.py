"""State dicts in the layout of the authors' QPM and CHiQPM checkpoints."""

import jax
import numpy as np
import pytest

from qpm_jax import export, models
from qpm_jax.models.conversion import shapes_in_file
from qpm_jax.models.namings import TORCH

SELECTION = np.array([300, 7, 450, 12, 99])
ASSIGNMENT = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]])


@pytest.fixture(scope="module")
def checkpoint():
    """A ResNet-18 as the published code saves it, made by a rule."""
    rng = np.random.default_rng(0)
    sources = [s for s in TORCH["resnet18"][1].sources() if s.path[1] == "backbone"]
    state = {}
    for key, shape in shapes_in_file("resnet18", sources).items():
        values = rng.standard_normal(shape)
        if len(shape) > 1:
            values = values / np.sqrt(np.prod(shape[1:]))
        elif key.endswith(("bias", "running_mean")):
            values = 0.1 * values
        else:
            values = 1 + 0.1 * np.abs(values)
        state[key] = values.astype(np.float32)
        if key.endswith("running_var"):
            state[key.replace("running_var", "num_batches_tracked")] = np.int64(9)
    state["linear.selection"] = SELECTION
    state["linear.mean"] = np.linspace(0.1, 0.5, 5, dtype=np.float32)
    state["linear.std"] = np.linspace(1.0, 2.0, 5, dtype=np.float32)
    state["linear.layer.weight"] = ASSIGNMENT.astype(np.float32)
    return state


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(size=(2, 32, 48, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def features(checkpoint, images):
    """The backbone's features, through the dense network's way of loading."""
    variables = models.backbone_from_torch_state_dict(
        "resnet18", {k: v for k, v in checkpoint.items() if "linear" not in k}
    )
    backbone = models.create("resnet18", 1, reduced_strides=True).backbone
    inner = {kind: tree["backbone"] for kind, tree in variables.items()}
    return np.asarray(jax.jit(backbone.apply)(inner, images)).mean((1, 2))


def test_a_qpm_checkpoint_predicts(checkpoint, images, features):
    network, variables = export.from_published("resnet18", checkpoint)
    logits, normalised, maps = jax.jit(network.apply)(variables, images)
    mean, std = checkpoint["linear.mean"], checkpoint["linear.std"]
    expected = (features[:, SELECTION] - mean) / std
    np.testing.assert_allclose(normalised, expected, atol=1e-4)
    np.testing.assert_allclose(logits, expected @ ASSIGNMENT.T, atol=1e-4)
    assert maps.shape == (2, 4, 6, 5)


def test_a_chiqpm_checkpoint_predicts_with_rectified_features(
    checkpoint, images, features
):
    network, variables = export.from_published(
        "resnet18", checkpoint, head=models.RectifiedHead
    )
    logits, normalised, _ = jax.jit(network.apply)(variables, images)
    mean, std = checkpoint["linear.mean"], checkpoint["linear.std"]
    expected = np.maximum((features[:, SELECTION] - mean) / std, 0)
    assert (expected == 0).any()
    assert (expected > 0).any()
    np.testing.assert_allclose(normalised, expected, atol=1e-4)
    np.testing.assert_allclose(logits, expected @ ASSIGNMENT.T, atol=1e-4)


def test_the_checkpoint_comes_back_as_it_was(checkpoint):
    network, variables = export.from_published("resnet18", checkpoint)
    back = export.to_published("resnet18", network.head, variables)
    assert set(back) == {k for k in checkpoint if "num_batches" not in k}
    for key, array in back.items():
        np.testing.assert_array_equal(array, checkpoint[key])
        assert array.dtype == checkpoint[key].dtype


def test_means_of_all_features_are_written_for_the_selected_ones(checkpoint):
    _, variables = export.from_published("resnet18", checkpoint)
    head = models.BinaryHead(SELECTION, ASSIGNMENT, np.arange(512.0), np.ones(512))
    back = export.to_published("resnet18", head, variables)
    np.testing.assert_array_equal(back["linear.mean"], SELECTION)


def test_other_state_dicts_are_told_apart(checkpoint):
    dense = {k: v for k, v in checkpoint.items() if "linear" not in k}
    with pytest.raises(ValueError, match=r"no whole QPM; .*models\.from_torch_state"):
        export.from_published("resnet18", dense)
    real = dict(checkpoint, **{"linear.layer.weight": ASSIGNMENT * 0.3})
    with pytest.raises(ValueError, match="SLDD-Model or Q-SENN"):
        export.from_published("resnet18", real)
    biased = dict(checkpoint, **{"linear.layer.bias": np.ones(3)})
    with pytest.raises(ValueError, match="SLDD-Model or Q-SENN"):
        export.from_published("resnet18", biased)
    with pytest.raises(
        ValueError, match=r"do not fit 'resnet34'; nearest are resnet18"
    ):
        export.from_published("resnet34", checkpoint)
    with pytest.raises(ValueError, match=r"qpm_jax\.export\.from_published"):
        models.from_torch_state_dict("resnet18", checkpoint)


def _lines(name, state):
    """What the error lists."""
    with pytest.raises(ValueError, match=f"do not fit '{name}'") as caught:
        export.from_published(name, state)
    return str(caught.value).splitlines()[1:]


def test_missing_and_unknown_keys_of_head_and_backbone_are_all_listed(checkpoint):
    absent = ("linear.mean", "bn1.bias")
    state = {key: array for key, array in checkpoint.items() if key not in absent}
    state |= {"linear.scale": np.ones(5), "linear.layer.gain": 1.0, "extra": 0.0}
    assert _lines("resnet18", state) == [
        "  missing: linear.mean",
        "  unknown: linear.scale",
        "  unknown: linear.layer.gain",
        "  missing: bn1.bias (64,)",
        "  unknown: extra",
    ]


def test_a_dense_head_of_the_published_code_is_unknown(checkpoint):
    dense = {k: v for k, v in checkpoint.items() if "linear" not in k}
    lines = _lines("resnet18", dense | {"linear.weight": np.ones((3, 512))})
    assert lines[:2] == ["  missing: linear.selection", "  missing: linear.mean"]
    assert lines[4:] == ["  unknown: linear.weight"]


def test_a_bias_of_zeros_and_counters_are_no_unknown_keys(checkpoint):
    more = {"linear.layer.bias": np.zeros(3), "linear.bn.num_batches_tracked": 4}
    network, _ = export.from_published("resnet18", checkpoint | more)
    np.testing.assert_array_equal(network.head.assignment, ASSIGNMENT)


def test_ternary_weights_stay_ternary(checkpoint):
    signed = dict(checkpoint, **{"linear.layer.weight": -ASSIGNMENT.astype(np.float32)})
    network, _ = export.from_published("resnet18", signed)
    np.testing.assert_array_equal(network.head.assignment, -ASSIGNMENT)


def test_heads_of_the_two_systems_differ(checkpoint):
    plain, _ = export.from_published("resnet18", checkpoint)
    rectified, _ = export.from_published(
        "resnet18", checkpoint, head=models.RectifiedHead
    )
    assert plain.head != rectified.head
    again, _ = export.from_published("resnet18", checkpoint, head=models.RectifiedHead)
    assert rectified.head == again.head
    assert hash(rectified.head) == hash(again.head)


def test_arrays_that_do_not_fit_a_backbone_are_all_listed(run):
    state = export.to_published("resnet_small", run.network.head, run.variables)
    place = next(key for key in state if key.startswith("params.backbone."))
    other = {key: array for key, array in state.items() if key != place}
    other |= {"params.backbone.x": 0.0, "linear.x": 0.0}
    assert _lines("resnet_small", other) == [
        "  unknown: linear.x",
        f"  missing: {place} {state[place].shape}",
        "  unknown: params.backbone.x",
    ]


def test_an_unknown_name_is_said_before_any_key():
    with pytest.raises(ValueError, match=r"'resnet17'\. Did you mean resnet"):
        export.from_published("resnet17", {})

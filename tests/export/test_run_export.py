"""A trained run in the forms other tools read."""

import json
import shutil
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest
import safetensors.numpy
from jax import export as jax_export

from qpm_jax import export, files
from qpm_jax.config import default
from qpm_jax.datasets import normalise
from qpm_jax.export import model_card
from qpm_jax.export.folder import describe
from qpm_jax.export.origin import pretrained
from qpm_jax.models.weight_files import read_arrays
from qpm_jax.phases import evaluate, inputs, workdir


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "new"
    export.save_folder(run, folder)
    return folder


def test_a_folder_gives_the_runs_predictions(run, folder, photos):
    network, variables, about = export.from_folder(folder)
    inputs = normalise(photos, about["mean"], about["std"])
    logits, _, _ = jax.jit(network.apply)(variables, inputs)
    np.testing.assert_allclose(logits, run.predict(photos).logits, atol=1e-4)
    assert about["class_names"] == ["red", "green", "blue"]
    assert about["image_size"] == [16, 16]


def test_an_assignment_stored_by_columns_is_written_by_rows(run, tmp_path, photos):
    """As trained runs hold it: safetensors would write its memory as it lies."""
    head = run.network.head
    by_columns = head.clone(assignment=np.asfortranarray(head.assignment))
    other = replace(run, network=run.network.clone(head=by_columns))
    export.save_folder(other, tmp_path)
    network, _, _ = export.from_folder(tmp_path)
    np.testing.assert_array_equal(network.head.assignment, run.assignment)


def test_the_arrays_are_readable_without_this_package(run, folder):
    arrays = safetensors.numpy.load_file(folder / "model.safetensors")
    np.testing.assert_array_equal(arrays["linear.selection"], run.selected)
    np.testing.assert_array_equal(arrays["linear.layer.weight"] > 0, run.assignment)
    assert arrays["params.backbone.norm.scale"].shape == (192,)


def test_the_card_says_what_the_model_is(run, folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: qpm_jax\n")
    assert "3 classes, each the sum\nof 2 of 5 features" in card
    assert "| backbone | `resnet_small` |" in card
    assert "| input | 16×16 pixels, RGB" in card
    assert "red, green, blue" in card
    assert "| began with | random weights |" in card
    assert "Not measured" in card
    json.loads((folder / "config.json").read_text())


@pytest.mark.parametrize(
    ("options", "cropped"), [({}, True), ({"cropped": False}, False)]
)
def test_a_network_of_crops_says_so(open_run, options, cropped):
    run = open_run("resnet_small")
    config = workdir.read_config(run.workdir)
    config.dataset.name = "cub"
    with config.dataset.options.unlocked():
        config.dataset.options.update(options | {"root": "/home/me/birds"})
    files.write_json(run.workdir / "config.json", config.to_dict())
    about = describe(run)
    assert about["cropped"] is cropped
    assert ("cut to the object's bounding box" in model_card.model_card(run)) is cropped
    assert "/home/me" not in json.dumps(about) + model_card.model_card(run)


@pytest.mark.parametrize(
    ("weights", "checksum", "said"),
    [
        ("timm/resnet50.tv_in1k", "", "timm/resnet50.tv_in1k"),
        ("/home/me/resnet50.pth", "0676ba61", "resnet50.pth (SHA-256 0676ba61)"),
    ],
)
def test_a_network_says_which_weights_it_began_with(weights, checksum, said):
    model = default().model
    model.update(weights=weights, weights_sha256=checksum)
    assert pretrained(model) == said


def test_a_folder_that_no_export_wrote_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(ValueError, match=r"no export of qpm_jax, by its config\.json"):
        export.from_folder(tmp_path)


@pytest.mark.parametrize("said", [{"unbounded_maps": True}, {}], ids=["now", "earlier"])
def test_a_backbone_is_read_as_it_was_made(folder, tmp_path, monkeypatch, said):
    made = {}
    shutil.copytree(folder, tmp_path / "copy")
    about = json.loads((folder / "config.json").read_text())
    assert about.pop("unbounded_maps") is False
    (tmp_path / "copy" / "config.json").write_text(json.dumps(about | said))
    monkeypatch.setattr(
        "qpm_jax.export.folder.from_published",
        lambda name, arrays, **options: (made.update(options), None),
    )
    export.from_folder(tmp_path / "copy")
    assert made == {"reduced_strides": False, "unbounded_maps": bool(said)}


@pytest.fixture(scope="module")
def unbounded(open_run):
    """A run whose maps go beyond 6."""
    run = open_run("mobilenet_v2", unbounded_maps=True)
    norm = run.variables["params"]["backbone"]["head_norm"]
    norm["scale"], norm["bias"] = 20 * norm["scale"], norm["bias"] + 5
    return run


def test_maps_without_a_bound_stay_without_one(unbounded, tmp_path, photos):
    export.save_folder(unbounded, tmp_path)
    network, variables, about = export.from_folder(tmp_path)
    inputs = normalise(photos, about["mean"], about["std"])
    logits, _, maps = jax.jit(network.apply)(variables, inputs)
    assert maps.max() > 6
    np.testing.assert_allclose(logits, unbounded.predict(photos).logits, atol=1e-3)


def test_pytorchs_file_warns_of_maps_that_pytorch_would_bound(unbounded, tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    with pytest.warns(UserWarning, match="unbounded_maps=True"):
        export.save_torch(unbounded, tmp_path / "model.pt")


def test_the_card_names_the_options_of_the_backbone(run, monkeypatch):
    config = default()
    config.model.update(reduced_strides=True, unbounded_maps=True)
    monkeypatch.setattr(model_card.folders, "read_config", lambda workdir: config)
    card = model_card.model_card(run)
    assert "| `resnet_small`, reduced strides, unbounded maps |" in card


@pytest.mark.parametrize(
    "config", ["", "{", "[]", '{"seed": 0}', '{"architecture": "resnet"}']
)
def test_a_folder_with_another_config_is_refused_and_left_as_it_was(
    run, tmp_path, config
):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match=rf"{tmp_path}.* not an export.*empty folder"):
        export.save_folder(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    assert (tmp_path / "config.json").read_text() == config


def test_a_run_is_not_exported_into_its_own_folder(run):
    before = (run.workdir / "config.json").read_text()
    with pytest.raises(ValueError, match=str(run.workdir)):
        export.save_folder(run, run.workdir)
    assert (run.workdir / "config.json").read_text() == before


def test_a_readme_of_something_else_is_not_overwritten(run, tmp_path):
    (tmp_path / "README.md").write_text("# My project")
    with pytest.raises(ValueError, match=rf"{tmp_path}.*README\.md"):
        export.save_folder(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_an_export_is_written_anew_over_itself(run, tmp_path):
    export.save_folder(run, tmp_path)
    (tmp_path / "README.md").write_text("of an older version")
    export.save_folder(run, tmp_path)
    assert "# QPM on" in (tmp_path / "README.md").read_text()


def test_an_export_names_the_data_set_the_run_was_given(run, tmp_path, monkeypatch):
    """Images that came from Python; the settings still say birds."""
    given = replace(inputs.read(run.workdir), dataset="mine")
    monkeypatch.setattr(inputs, "read", lambda _: given)
    assert "# QPM on mine\n" in model_card.model_card(run)
    assert describe(run)["dataset"] == "mine"


def test_an_export_of_an_older_run_names_the_data_set_of_its_settings(run):
    assert inputs.read(run.workdir).dataset == ""
    assert "# QPM on birds\n" in model_card.model_card(run)
    assert describe(run)["dataset"] == "birds"


def test_the_card_lists_the_metrics_that_were_measured(run, monkeypatch):
    values = dict.fromkeys(evaluate.METRICS) | {"accuracy": 0.8125}
    measured = {"dense": values | {"accuracy": 0.9}, "qpm": values}
    monkeypatch.setattr(model_card.folders, "is_done", lambda *_: True)
    monkeypatch.setattr(model_card.evaluate, "read_metrics", lambda _: measured)
    lines = model_card.model_card(run).splitlines()
    rows = [line for line in lines if line.startswith("| Accuracy")]
    assert len(rows) == 1
    assert "90" in rows[0]
    assert "81" in rows[0]
    assert not any(line.startswith("| SID@5") for line in lines)


def test_the_program_runs_without_the_network(run, photos, tmp_path):
    export.save_stablehlo(run, tmp_path / "model.stablehlo")
    program = jax_export.deserialize((tmp_path / "model.stablehlo").read_bytes())
    assert set(program.platforms) == {"cpu", "cuda", "tpu"}
    assert "stablehlo" in program.mlir_module()
    for count in (1, 5):
        logits, features, maps = program.call(photos[:count])
        expected = run.predict(photos[:count])
        np.testing.assert_allclose(logits, expected.logits, atol=1e-4)
        np.testing.assert_allclose(features, expected.features, atol=1e-4)
        assert maps.shape == (count, 2, 2, 5)


def test_a_backbone_without_a_pytorch_original_has_no_pytorch_file(run, tmp_path):
    with pytest.raises(ValueError, match=r"'resnet_small' does not exist in PyTorch"):
        export.save_torch(run, tmp_path / "model.pt")


@pytest.fixture(scope="module")
def resnet_run(open_run):
    return open_run("resnet18")


def test_a_pytorch_file_holds_the_published_layout(resnet_run, tmp_path):
    torch = pytest.importorskip("torch", reason="needs torch (extra parity)")
    path = tmp_path / "model.pt"
    export.save_torch(resnet_run, path)
    state = torch.load(path, weights_only=True)
    assert state["linear.selection"].tolist() == resnet_run.selected.tolist()
    assert state["linear.layer.weight"].shape == (3, 5)
    arrays = read_arrays(path)
    network, variables = export.from_published("resnet18", arrays, False)
    jax.tree.map(np.testing.assert_array_equal, variables, resnet_run.variables)
    assert network.backbone == resnet_run.network.backbone


def test_pytorchs_own_network_answers_as_the_run_that_was_exported(
    resnet_run, tmp_path, photos, original_resnet, torchvision_key
):
    backbone = original_resnet("resnet18", reduced_strides=False)
    import torch

    export.save_torch(resnet_run, tmp_path / "model.pt")
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    backbone.classifier = torch.nn.Identity()
    names = [k for k in backbone.state_dict() if "num_batches" not in k]
    parts = {name: state.pop(torchvision_key(name)) for name in names}
    missing, unknown = backbone.load_state_dict(parts, strict=False)
    assert all(key.endswith("num_batches_tracked") for key in missing)
    assert not unknown
    assert all(key.startswith("linear.") for key in state)
    inputs = torch.tensor(
        normalise(photos, resnet_run.input_mean, resnet_run.input_std)
    )
    with torch.no_grad():
        maps = backbone.resnet(inputs.permute(0, 3, 1, 2)).last_hidden_state
        features = maps.mean((2, 3))[:, state["linear.selection"]]
        features = (features - state["linear.mean"]) / state["linear.std"]
        logits = features @ state["linear.layer.weight"].T
    expected = resnet_run.predict(photos)
    np.testing.assert_allclose(logits, expected.logits, atol=1e-4)


def test_without_pytorch_the_other_forms_are_named(resnet_run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"not installed.*safetensors holds the same"):
        export.save_torch(resnet_run, tmp_path / "model.pt")

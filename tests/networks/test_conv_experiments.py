import dataclasses
import io
import json
import struct
import time

import numpy as np
import pytest
from PIL import Image

from qpm_jax.networks import conv_picture
from qpm_jax.networks.experiments import image_data, image_runs, settings, study
from qpm_jax.networks.experiments.settings import MODELS

TINY = {
    "table": "digits",
    "seeds": (0,),
    "tree": {"depth": 5},
    "conv": {"training_images": 60, "restarts": 1},
    "milp": {"time_limit": 6.0},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, study.run(settings.from_dict(TINY), folder)


def test_every_model_is_measured_on_images(finished):
    folder, records = finished
    (record,) = records.values()
    assert set(record) == {"chosen", *MODELS}
    assert record["chosen"]["relu_binaries"] == 60 * 8 * 8 * 2
    for model in MODELS:
        assert record[model]["test_accuracy"] > 0.5
    for pruned in ("magnitude", "lottery"):
        assert record[pruned]["sparsity"] >= record["milp"]["sparsity"] - 0.06
    assert record["milp"]["bound"] <= record["milp"]["objective"]
    assert (folder / "table.md").read_text().count("\n") == 2 + len(MODELS)
    picture = folder / "figures" / "network-digits-seed0.png"
    with Image.open(picture) as drawn:
        assert drawn.width > 300
    json.loads((folder / "runs.jsonl").read_text())


def test_what_is_done_is_not_done_again(finished):
    folder, records = finished
    assert study.run(settings.from_dict(TINY), folder) == records


def test_pruning_counts_the_training_that_it_goes_on_from(monkeypatch):
    starts = image_runs.conv_starts

    def slow(*args):
        time.sleep(1.0)
        return starts(args[0], time_limit=0)

    monkeypatch.setattr(image_runs, "conv_starts", slow)
    monkeypatch.setattr(
        image_runs, "conv_pruned", lambda _, start, *__, **___: start.network
    )
    models = ("milp", "gradient", "magnitude", "lottery")
    config = settings.from_dict(TINY | {"models": models, "milp": {"time_limit": 0.0}})
    record = image_runs.execute_images(image_data.load("digits"), 0, config)
    assert record["milp"]["seconds"] < 1
    assert record["gradient"]["seconds"] >= 1
    assert record["magnitude"]["seconds"] >= 1
    assert record["lottery"]["seconds"] >= 1


def test_a_run_that_is_interrupted_is_not_done(tmp_path, monkeypatch):
    solve = image_runs.solve_conv

    def pressed(problem, *_, **__):
        return dataclasses.replace(solve(problem, time_limit=0), status="interrupted")

    monkeypatch.setattr(image_runs, "solve_conv", pressed)
    config = settings.from_dict(TINY | {"models": ("milp",)})
    with pytest.raises(KeyboardInterrupt):
        study.run(config, tmp_path)
    assert not (tmp_path / "runs.jsonl").exists()


def test_digits_are_drawn_by_class_and_made_smaller():
    source = image_data.load("digits", 4)
    assert source.images.shape == (1797, 4, 4)
    assert 0 <= source.images.min() < source.images.max() <= 1
    part = image_data.split(source, 100, 0.25, 0)
    assert part.images.shape == (100, 4, 4)
    assert len(part.test_labels) == 450
    whole = image_data.split(source, 0, 0.25, 0)
    assert len(whole.labels) == 1347


def test_a_study_can_have_the_first_classes_alone():
    config = settings.from_dict({"table": "digits", "conv": {"classes": 3, "side": 4}})
    assert np.unique(study._source(config).labels).tolist() == [0, 1, 2]
    source = image_data.first_classes(image_data.load("digits", 4), 3)
    assert np.unique(source.labels).tolist() == [0, 1, 2]
    assert len(source.images) == len(source.labels) == 537
    official = dataclasses.replace(source, official=100)
    fewer = image_data.first_classes(official, 2)
    assert fewer.official == (source.labels[:100] < 2).sum()
    assert np.array_equal(image_data.first_classes(source, 0).labels, source.labels)


def test_mnist_is_read_from_a_folder_and_its_training_part_drawn_from(tmp_path):
    random = np.random.default_rng(0)
    for part, number in (("train", 30), ("t10k", 10)):
        pixels = random.integers(0, 256, (number, 28, 28), dtype=np.uint8)
        pixels[0] = 255
        header = struct.pack(">4B3I", 0, 0, 8, 3, number, 28, 28)
        path = tmp_path / f"{part}-images-idx3-ubyte"
        path.write_bytes(header + pixels.tobytes())
        labels = bytes(place % 10 for place in range(number))
        header = struct.pack(">4BI", 0, 0, 8, 1, number)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(header + labels)
    source = image_data.load("mnist", 7, tmp_path)
    assert source.images.shape == (40, 7, 7)
    assert source.images[0].min() == 1
    part = image_data.split(source, 20, 0.25, 0)
    assert len(part.labels) == 20
    assert part.test_labels.tolist() == list(range(10))


def test_mnist_is_tested_on_its_official_part(shared):
    source = image_data.load("mnist", 14, shared("data/mnist"))
    part = image_data.split(source, 1000, 0.25, 0)
    assert part.images.shape == (1000, 14, 14)
    assert part.test_images.shape == (10000, 14, 14)
    again = image_data.split(source, 1000, 0.25, 1)
    assert not np.array_equal(part.labels, again.labels)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: image_data.load("cifar"), "name is 'cifar'; choose one of digits"),
        (lambda: image_data.load("digits", 3), "side is 3; it must be a divisor of 8"),
        (
            lambda: image_data.first_classes(image_data.load("digits"), 1),
            "classes is 1; digits has 10: give 2 … 10, or 0 for all",
        ),
        (
            lambda: image_data.first_classes(image_data.load("digits"), 11),
            "classes is 11; digits has 10",
        ),
        (
            lambda: image_data.split(image_data.load("digits"), 2000, 0.25, 0),
            "training_images is 2000; digits has 1347",
        ),
        (
            lambda: settings.from_dict({"table": "mnist", "models": ("svm",)}),
            "config.models is 'svm'",
        ),
        (
            lambda: settings.from_dict({"conv": {"pooling": "min"}}),
            "config.conv.pooling is 'min'",
        ),
    ],
)
def test_what_there_is_not_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_picture_shows_filters_and_what_is_read(conv_problem, random_conv):
    network = random_conv(0, conv_problem(classes=3))
    data = conv_picture(network, ["a", "b", "c"], "three")
    colours = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    blue, orange = (
        colours[..., 2] > colours[..., 0] + 60,
        colours[..., 0] > (colours[..., 2] + 60),
    )
    assert blue.sum() > 50
    assert orange.sum() > 50
    with pytest.raises(ValueError, match="output_names has 2 entries"):
        conv_picture(network, ["a", "b"])

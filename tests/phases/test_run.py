"""A finished run, opened with `qpm_jax.load` and used on new images."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import qpm_jax
from qpm_jax import explain
from qpm_jax.datasets.image_files import as_array
from qpm_jax.phases import predict


@pytest.fixture(scope="module")
def run(finished):
    return qpm_jax.load(finished)


@pytest.fixture(scope="module")
def images(dataset):
    return np.asarray(dataset.test.images)


def test_predictions_are_probabilities_and_names(run, images, dataset):
    prediction = run.predict(images)
    assert prediction.probabilities.shape == (20, 4)
    assert prediction.probabilities.sum(axis=1) == pytest.approx(np.ones(20))
    assert prediction.class_names[0] == run.class_names[prediction.labels[0]]
    assert np.mean(prediction.labels == dataset.test.labels) > 0.5


def test_a_class_score_is_the_sum_of_its_features(run, images):
    features = run.features(images)
    logits = features @ run.assignment.T
    assert run.predict(images).logits == pytest.approx(logits, abs=1e-4)


def test_features_are_the_normalised_means_of_the_maps(run, images):
    maps = run.maps(images)
    assert maps.shape == (20, 2, 2, 8)
    assert maps.min() >= 0
    expected = (maps.mean(axis=(1, 2)) - run.mean) / np.maximum(run.std, 1e-6)
    assert run.features(images) == pytest.approx(expected, abs=1e-4)


def test_any_number_and_size_of_images_gives_the_same_answer(run, images, tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(images[3]).save(path)
    many = run.predict(np.concatenate([images] * 3)).logits
    one = run.predict([str(path)]).logits
    pil = run.predict([Image.open(path)]).logits
    assert many[3] == pytest.approx(one[0], abs=1e-4)
    assert pil == pytest.approx(one)
    large = Image.fromarray(images[3]).resize((64, 48))
    assert run.read([large]).shape == (1, 16, 16, 3)


def test_the_explanation_adds_up(run, images):
    explanation = run.explain(images[0])
    logits = run.predict(images[:1]).logits[0]
    assert explanation.predicted.score == pytest.approx(logits.max(), abs=1e-4)
    assert len(explanation.predicted.contributions) == 3
    assert explanation.runner_up.label != explanation.predicted.label
    json.dumps(explanation.to_dict())


def test_one_look_serves_every_explanation_of_an_image(run, images):
    look = run.look(images[0], longest=100)
    assert look.photo.shape == (100, 100, 3)
    assert look.features == pytest.approx(run.features(images[:1])[0], abs=1e-4)
    assert look.maps == pytest.approx(run.maps(images[:1])[0], abs=1e-4)
    assert run.explain(look).predicted == run.explain(images[0]).predicted
    against = (run.explain(look).predicted.label + 1) % 4
    assert run.explain(look, against).runner_up.label == against


def test_an_explanation_is_drawn_as_png(run, images):
    assert run.draw(images[0]).startswith(b"\x89PNG")


def test_no_images_and_no_run_are_refused(run, tmp_path):
    with pytest.raises(ValueError, match="images is empty"):
        run.predict([])
    with pytest.raises(ValueError, match="holds no run"):
        qpm_jax.load(tmp_path)


def test_predict_lists_every_image_below_a_folder(finished, images, tmp_path):
    folder = tmp_path / "photos" / "deep"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(images[number]).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("no image")
    found = predict.image_files([tmp_path / "photos", folder / "1.png"])
    assert [path.name for path in found] == ["0.png", "1.png", "2.png", "1.png"]
    records = predict.run(qpm_jax.load(finished), found)
    assert records[1] == records[3]
    assert len(records[0]["features"]) == 3
    assert sum(records[0]["features"].values()) > 0
    assert json.loads(predict.as_json(records)) == records
    lines = predict.as_csv(records).splitlines()
    assert lines[0] == "image,class,label,probability,features"
    assert len(lines) == 5


def test_predict_draws_a_picture_an_image_and_overwrites_none(
    finished, images, tmp_path
):
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        Image.fromarray(images[0]).save(tmp_path / place / "wren.png")
    found = predict.image_files([tmp_path])
    written = predict.draw(qpm_jax.load(finished), found, tmp_path / "one")
    assert [p.name for p in written] == ["wren-explained.png", "wren-explained-2.png"]
    widths = [as_array(path).shape[1] for path in (*written, *found)]
    assert widths == [1200, 1200, 16, 16]


def test_predict_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        predict.image_files([tmp_path / "no.png"])
    with pytest.raises(ValueError, match=r"no image in .*end in .*\.png"):
        predict.image_files([tmp_path])


def test_a_name_given_to_a_feature_is_used_from_then_on(finished, images, tmp_path):
    workdir = tmp_path / "copy"
    shutil.copytree(finished, workdir)
    channel = int(qpm_jax.load(workdir).selected[0])
    explain.write_feature_names(workdir, {channel: "red square"})
    names = qpm_jax.load(workdir).feature_names
    assert names[0] == "red square"
    assert names[1].startswith("feature ")

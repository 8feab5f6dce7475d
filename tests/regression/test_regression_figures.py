import io

import numpy as np
import pytest
from PIL import Image

from qpm_jax.regression.pictures.figures import (
    accuracy_picture,
    corruption_picture,
    robustness_picture,
)
from qpm_jax.regression.pictures.weight_figures import (
    feature_graph_picture,
    weight_picture,
)

SIZES = (10, 200)


def _accuracies(*models):
    random = np.random.default_rng(0)
    return {model: random.uniform(0.4, 0.9, (len(SIZES), 3)) for model in models}


def _open(picture):
    image = Image.open(io.BytesIO(picture))
    assert image.format == "PNG"
    return image.convert("RGB")


def _colours(picture):
    return {colour for _, colour in _open(picture).getcolors(1 << 24)}


def test_every_model_has_its_colour_in_the_accuracy_picture():
    values = _accuracies("mip", "pbo", "logistic", "gradient_descent")
    colours = _colours(accuracy_picture(SIZES, values, values, "toy"))
    for colour in ((200, 53, 43), (47, 143, 78), (43, 98, 181), (224, 138, 30)):
        assert colour in colours


def test_what_wrong_labels_cost_is_black():
    standard = {"mip": np.full((2, 3), 0.9)}
    pictures = [
        _open(corruption_picture(SIZES, standard, {"mip": after}, "toy"))
        for after in (np.full((2, 3), 0.3), np.full((2, 3), 0.9))
    ]
    lost, kept = ((np.asarray(p) == 0).all(axis=2).sum() for p in pictures)
    assert lost > kept + 10_000


def test_a_gain_by_wrong_labels_is_drawn_too():
    standard, corrupted = _accuracies("mip"), _accuracies("mip")
    picture = corruption_picture(SIZES, corrupted, standard, "toy")
    assert _open(picture).width > 500


@pytest.mark.parametrize("sizes", [(10,), (10, 20, 30, 40, 50)])
def test_the_robustness_picture_has_a_panel_a_size(sizes):
    curves = {"mip": [np.array([0.8, 0.4, 0.1]) for _ in sizes]}
    image = _open(robustness_picture(sizes, curves, "toy"))
    assert image.height > (300 if len(sizes) == 1 else 700)


def test_a_model_that_is_never_right_has_a_robustness_picture_too():
    curves = {"mip": [np.array([0.0])]}
    assert _open(robustness_picture((10,), curves, "toy")).width > 500


def test_weights_are_black_white_and_grey():
    weights = np.array([[1, 0, -1, 1, 0, -1]])
    image = np.asarray(_open(weight_picture(weights, (2, 3), ("only",), "toy")))
    for shade in (0, 158, 255):
        assert (image == shade).all(axis=2).sum() > 1000


@pytest.mark.parametrize("edges", [[(0, 1), (1, 2)], []])
def test_the_graph_is_drawn_whether_features_are_joined_or_not(edges):
    weights = np.array([[1, 0, -1], [0, 0, 0]])
    picture = feature_graph_picture(weights, edges, ("x", "y"), ("a", "b", "c"), "toy")
    assert _open(picture).width > 1000


def test_many_features_get_larger_panels():
    weights = np.ones((1, 100), int)
    names = ("",) * 100
    edges = np.array([[0, 1]])
    few = feature_graph_picture(weights[:, :9], edges, ("all",), names[:9], "toy")
    many = feature_graph_picture(weights, edges, ("all",), names, "toy")
    assert _open(many).width > _open(few).width


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: accuracy_picture(SIZES, {}, {}, "toy"), "training has no models"),
        (
            lambda: accuracy_picture((1,), _accuracies("mip"), {}, "toy"),
            "training has another shape",
        ),
        (
            lambda: corruption_picture(
                SIZES, _accuracies("mip"), _accuracies("pbo"), "toy"
            ),
            "corrupted has pbo",
        ),
        (lambda: robustness_picture(SIZES, {"mip": []}, "toy"), "curves has"),
        (lambda: weight_picture(np.ones((1, 4)), (2, 3), ("a",), ""), "image_shape is"),
        (lambda: weight_picture(np.ones((1, 4)), (2, 2), (), ""), "coefficients has"),
        (
            lambda: feature_graph_picture(np.ones((1, 2)), [], ("a",), ("b",), ""),
            "feature_names has 1",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()

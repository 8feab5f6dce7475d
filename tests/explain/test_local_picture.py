"""The picture of one explanation: a PNG in which nothing overlaps or is cut."""

import io

import numpy as np
import pytest
from PIL import Image

from qpm_jax.explain.colours import palette
from qpm_jax.explain.local import explain
from qpm_jax.explain.local_picture import draw_explanation
from qpm_jax.explain.local_words import font, shorten
from qpm_jax.explain.markup import signed

RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (30, 40, 3)).astype(np.uint8)


def explained(per_class, num_features=24, names=("wren", "lark", "dove")):
    """Class c has `per_class` features from 2c on, so that neighbours share some."""
    assignment = np.zeros((len(names), num_features), bool)
    for label in range(len(names)):
        assignment[label, 2 * label : 2 * label + per_class] = True
    values = RANDOM.normal(size=num_features)
    channels = np.arange(num_features) * 3
    maps = RANDOM.random((4, 4, num_features))
    return explain(values, assignment, channels, names), maps, values


def drawn(explanation, maps, values, photo=PHOTO):
    data = draw_explanation(explanation, photo, maps, values)
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    return np.asarray(image)


def test_every_feature_of_both_classes_shows_its_colour():
    explanation, maps, values = explained(4)
    picture = drawn(explanation, maps, values).reshape(-1, 3)
    seen = set(map(tuple, picture.tolist()))
    scores = (explanation.predicted, explanation.runner_up)
    for feature in {c.feature for score in scores for c in score.contributions}:
        assert tuple(palette(24)[feature].tolist()) in seen


@pytest.mark.parametrize("per_class", [1, 3, 5, 9, 18])
def test_any_number_of_features_leaves_a_white_edge(per_class):
    picture = drawn(*explained(per_class))
    assert picture.shape[1] == 1200
    for edge in (picture[:, :20], picture[:, -20:], picture[-12:], picture[:20]):
        assert (edge == 255).all()


def test_long_names_and_narrow_photos_stay_inside():
    names = ("w" * 300, "a very long name of a bird " * 9, "dove")
    explanation, maps, values = explained(3, names=names)
    narrow = PHOTO[:, :1]
    picture = drawn(explanation, maps, values, narrow)
    assert (picture[:, -20:] == 255).all()


def test_a_single_class_shows_its_features_alone():
    explanation, maps, values = explained(3, names=("wren",))
    assert drawn(explanation, maps, values).shape[1] == 1200


def test_names_are_cut_to_the_room_there_is():
    assert shorten("wren", 500, 20) == "wren"
    cut = shorten("a striped wing with a bar", 120, 20)
    assert cut.endswith("…")
    assert font(20).getlength(cut) <= 120


def test_numbers_carry_their_sign():
    assert [signed(v) for v in (1.234, -0.5, 0.0)] == ["+1.23", "−0.50", "+0.00"]

"""Images as data URIs and the assignment as a drawing."""

import base64
import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from qpm_jax.explain.figures import (
    assignment_picture,
    class_order,
    data_uri,
    feature_order,
)


def decode(uri):
    kind, code = uri.removeprefix("data:image/").split(";base64,")
    return kind, np.asarray(Image.open(io.BytesIO(base64.b64decode(code))))


def photo(size):
    ramp = np.linspace(0, 255, size)
    return np.stack(np.broadcast_arrays(ramp, ramp[:, None], 80), -1).astype(np.uint8)


def test_a_lossless_image_comes_back_unchanged():
    kind, back = decode(data_uri(photo(16), lossless=True))
    assert kind == "png"
    np.testing.assert_array_equal(back, photo(16))


@pytest.mark.parametrize("size", [64, 224])
def test_a_photo_comes_back_nearly_unchanged(size):
    kind, back = decode(data_uri(photo(size)))
    assert kind == "jpeg"
    assert np.abs(back.astype(int) - photo(size)).mean() < 3


def test_anything_but_rgb_bytes_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        data_uri(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        data_uri(np.zeros((4, 4), np.uint8))


def test_alike_classes_become_neighbours_whatever_their_order():
    assignment = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]])
    order = class_order(assignment).tolist()
    assert sorted(order) == [0, 1, 2, 3]
    assert {frozenset(order[:2]), frozenset(order[2:])} == {
        frozenset({0, 2}),
        frozenset({1, 3}),
    }
    assert class_order(assignment[:2]).tolist() == [0, 1]


def test_features_follow_their_classes_and_unused_ones_go_last():
    assert feature_order([[0, 0, 1], [0, 1, 0]]).tolist() == [2, 1, 0]


def test_the_drawing_is_well_formed_and_has_one_cell_an_assignment():
    assignment = np.random.default_rng(0).random((6, 5)) < 0.4
    names = ("a & b", '<i>"c"', "d", "e", "f", "g" * 60)
    picture = assignment_picture(assignment, names, ("1", "2", "30", "4", "5"))
    root = ET.fromstring(picture)
    assert len(list(root.iter("rect"))) == assignment.sum()
    texts = [text.text for text in root.iter("text")]
    assert {"a & b", '<i>"c"', "30"} <= set(texts)
    assert max(map(len, texts)) == 24
    titles = {title.text for title in root.iter("title")}
    row, column = np.argwhere(assignment)[0]
    label = ("1", "2", "30", "4", "5")[column]
    assert f"{names[row]} · feature {label}" in titles


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        assignment_picture(np.eye(3), ("a",), ("1", "2", "3"))

"""What the script gets: all of it, small, and nothing that could end it early."""

import base64
import json

import numpy as np

from qpm_jax.explain.page_data import (
    _levels,
    as_script,
    page_data,
    ranked_pairs,
)
from qpm_jax.explain.saliency import scale_to_unit


def test_classes_features_and_pairs_come_through(contents):
    data = json.loads(as_script(page_data(contents())))
    assert data["rows"][1] == [0, 2]
    assert [f["name"] for f in data["features"]][:2] == ["", "striped wing"]
    assert data["features"][0]["code"] == "#0072b2"
    assert data["start"] == ranked_pairs(contents())[0].tolist()
    assert data["confusions"] == [{"from": 0, "to": 1, "images": 4}]


def test_attributes_far_above_0_keep_their_differences():
    levels = _levels(np.array([[50.0, 100.0], [60.0, 90.0]]))
    np.testing.assert_array_equal(levels, [[0, 255], [51, 204]])


def test_no_tag_begins_in_the_script(contents, evil):
    text = as_script(page_data(contents()))
    assert "<" not in text
    assert json.loads(text)["classes"][-1] == evil


def test_maps_are_bytes_of_the_maps_scaled(contents):
    examples = contents().examples
    pictures = page_data(contents())["pictures"]
    stored = np.frombuffer(base64.b64decode(pictures["classMaps"]), np.uint8)
    maps = np.moveaxis(examples.class_maps, -1, 1)
    np.testing.assert_allclose(
        stored.reshape(maps.shape), 255 * scale_to_unit(maps), atol=0.6
    )
    assert pictures["mapSize"] == [3, 4]
    roots = np.sqrt(maps.mean(axis=(2, 3)))
    np.testing.assert_allclose(pictures["classRoots"], roots.ravel(), rtol=1e-3)


def test_maps_too_large_for_the_page_become_coarser(contents, monkeypatch):
    from qpm_jax.explain import page_data as module

    monkeypatch.setattr(module, "_MAP_BYTES", 5 * 6 * 6)
    monkeypatch.setattr(module, "_SMALLEST_MAP", 2)
    pictures = page_data(contents())["pictures"]
    assert pictures["mapSize"] == [2, 2]
    assert len(base64.b64decode(pictures["classMaps"])) == 5 * 6 * 4


def test_each_photo_is_stored_once(contents):
    data = page_data(contents())
    text = as_script(data)
    assert len(data["pictures"]["photos"]) == 8
    for photo in data["pictures"]["photos"]:
        assert text.count(photo) == 1


def test_what_is_not_known_is_left_out(contents):
    data = page_data(
        contents(
            examples=None,
            class_similarity=None,
            class_attributes=None,
            attribute_names=(),
            details={},
        )
    )
    assert {"pictures", "similarity", "attributes"}.isdisjoint(data)
    assert data["confusions"] == []

"""The palette: fixed, distinct, also for dichromats, and visible over grey."""

import numpy as np
import pytest

from qpm_jax.explain.colours import hex_code, lettering, palette

DICHROMACIES = np.array(  # Machado et al. 2009, severity 1, on linear RGB
    [
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ]
)


def linear(colours):
    share = colours / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(np.clip(rgb, 0, None) @ to_cones.T) @ to_lab.T


def closest(lab):
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return (distance + np.eye(len(lab))).min()


def test_colours_do_not_depend_on_how_many_are_asked_for():
    np.testing.assert_array_equal(palette(7), palette(120)[:7])
    np.testing.assert_array_equal(palette(121)[120], palette(1)[0])
    assert palette(0).shape == (0, 3)


def test_fifty_colours_are_distinct():
    assert len(np.unique(palette(120), axis=0)) == 120
    assert closest(oklab(linear(palette(50)))) > 0.055


def test_the_first_ten_stay_distinct_for_dichromats():
    rgb = linear(palette(10))
    for matrix in DICHROMACIES:
        assert closest(oklab(np.clip(rgb @ matrix.T, 0, 1))) > 0.06


def test_every_colour_stands_out_from_grey():
    chroma = np.linalg.norm(oklab(linear(palette(120)))[:, 1:], axis=-1)
    assert chroma.min() > 0.08


def test_lettering_is_dark_on_light_and_light_on_dark():
    assert hex_code(np.array([0, 114, 178], np.uint8)) == "#0072b2"
    assert lettering(np.array([250, 250, 200], np.uint8)) == "#14181f"
    assert lettering(np.array([0, 60, 90], np.uint8)) == "#ffffff"


def test_a_negative_number_of_colours_is_refused():
    with pytest.raises(ValueError, match="num_features is -1"):
        palette(-1)

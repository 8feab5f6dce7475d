import io

import numpy as np
import pytest
from PIL import Image

from qpm_jax.networks import ReLUNetwork, network_picture


def drawn(network, **settings):
    features = [f"f{place}" for place in range(network.weights[0].shape[1])]
    outputs = [f"o{place}" for place in range(len(network.biases[-1]))]
    return Image.open(
        io.BytesIO(network_picture(network, features, outputs, **settings))
    )


def pixels_of(picture, colour):
    wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
    # lines are translucent on white
    blended = 0.75 * wanted + 0.25 * 255
    data = np.asarray(picture.convert("RGB"), float)
    return int((np.abs(data - blended).max(axis=-1) < 3).sum())


def test_signs_have_colours_and_sizes_have_widths():
    thin = ReLUNetwork(([[2.0, 0.0]], [[0.2]]), ([0.0], [0.0]))
    thick = ReLUNetwork(([[2.0, 0.0]], [[2.0]]), ([0.0], [0.0]))
    mixed = ReLUNetwork(([[2.0, 0.0]], [[-2.0]]), ([0.0], [0.0]))
    blue, orange = "#2b62b5", "#d9741a"
    one, other, third = drawn(thin), drawn(thick), drawn(mixed)
    assert one.size == other.size
    assert pixels_of(other, blue) > 1.4 * pixels_of(one, blue) > 0
    assert pixels_of(one, orange) == 0
    assert pixels_of(third, orange) > 0


def test_deep_pruned_and_empty_networks_are_drawn():
    random = np.random.default_rng(0)
    shapes = [(5, 12), (5, 5), (5, 5), (3, 5)]
    weights = [random.normal(size=each) for each in shapes]
    weights[1][:] = 0
    weights[0][2] = 0
    biases = [np.zeros(each[0]) for each in shapes]
    network = ReLUNetwork(tuple(weights), tuple(biases), [False, True, False])
    assert drawn(network, title="a title").format == "PNG"
    empty = ReLUNetwork((np.zeros((2, 20)), np.zeros((2, 2))), (np.zeros(2),) * 2)
    assert drawn(empty).format == "PNG"


def test_names_that_do_not_fit_are_refused():
    network = ReLUNetwork(([[1.0]], [[1.0]]), ([0.0], [0.0]))
    with pytest.raises(ValueError, match="feature_names has 2 names for 1 features"):
        network_picture(network, ["a", "b"], ["c"])
    with pytest.raises(ValueError, match="output_names has 0 names for 1 outputs"):
        network_picture(network, ["a"], [])

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from qpm_jax import solvers
from qpm_jax.networks import (
    ConvNetwork,
    MILPConvClassifier,
    ReLUNetwork,
    adversarial_margin,
    certified_radius,
    conv_outputs,
)
from qpm_jax.networks.attack import closest_attack
from qpm_jax.networks.conv_network import convolved
from qpm_jax.networks.labels import class_codes, scores
from qpm_jax.networks.programs.max_layer import (
    piece_leads,
    piece_matrix,
    winning_pieces,
)
from qpm_jax.networks.programs.unfolded import leads_over_rivals, unfolded
from qpm_jax.networks.programs.verification_program import build_box


def random_network(seed, pooling="max", encoding="one_hot", side=2, window=2, depth=1):
    """Two 3×3 filters and three classes."""
    random = np.random.default_rng(seed)
    codes = class_codes(3, encoding)
    maps = (side // window, side // window, 2)
    network = ConvNetwork(
        random.normal(size=(2, 3, 3, depth)),
        random.normal(size=2),
        random.normal(size=(codes.shape[1], *maps)),
        random.normal(size=codes.shape[1]),
        pooling,
        window,
    )
    return network, codes, random.normal(size=(side, side, depth))


def winner(network, codes, image):
    return int(scores(conv_outputs(network, image[None]), codes)[0].argmax())


def leads(network, codes, images, label):
    """The label's score minus the best rival's."""
    found = scores(conv_outputs(network, images), codes)
    return found[:, label] - np.delete(found, label, axis=1).max(axis=1)


def grid(image, radius, steps=7):
    """All images whose pixels are moved by one of so many distances."""
    line = np.linspace(-radius, radius, steps)
    moves = np.array(list(itertools.product(line, repeat=image.size)))
    return image + moves.reshape(-1, *image.shape)


def dense(network, shape):
    """The dense network that this is, its weights read off from images of one pixel."""
    bare = dataclasses.replace(network, filter_biases=np.zeros(2))
    pixels = np.eye(np.prod(shape)).reshape(-1, *shape)
    weights = convolved(bare, pixels).reshape(len(pixels), -1).T
    window = np.ones((1, network.window, network.window, 1)) / network.window**2
    readout = np.kron(network.readout, window).reshape(len(network.readout), -1)
    biases = np.tile(network.filter_biases, shape[0] * shape[1])
    return ReLUNetwork((weights, readout), (biases, network.readout_biases))


def test_with_max_pooling_one_pixel_and_with_average_pooling_all_have_to_rise():
    # outputs: the pooled map, and 1; the label 1 is overtaken where the map is at 1
    pixel, readout = np.ones((1, 1, 1, 1)), np.array([1.0, 0.0]).reshape(2, 1, 1, 1)
    image = np.array([[0.25, 0.0], [0.0, 0.0]])
    largest = ConvNetwork(pixel, [0.0], readout, [0.0, 1.0], "max")
    found = certified_radius(largest, image)
    assert found.value == pytest.approx(0.75)
    assert found.bound == pytest.approx(0.75)
    assert found.counterexample[0, 0] == pytest.approx(1.0)
    assert (found.rival, found.status) == (0, "optimal")
    mean = ConvNetwork(pixel, [0.0], readout, [0.0, 1.0], "average")
    found = certified_radius(mean, image)
    assert found.value == pytest.approx(0.9375)
    assert found.counterexample.mean() == pytest.approx(1.0)
    assert adversarial_margin(mean, image, 0.5).value == pytest.approx(0.4375)
    near = certified_radius(mean, image, largest=0.5)
    assert (near.status, near.bound, near.counterexample) == ("robust", 0.5, None)


@pytest.mark.parametrize(
    ("pooling", "relu", "solver"),
    [
        ("max", "big_m", "highs"),
        ("max", "indicator", "scip"),
        ("average", "big_m", "highs"),
        ("average", "partitioned", "highs"),
        ("average", "indicator", "scip"),
    ],
)
@given(st.integers(0, 10**6), st.sampled_from(["one_hot", "binary"]))
@settings(max_examples=15, deadline=None)
def test_no_image_in_the_box_has_a_smaller_lead(pooling, relu, solver, seed, encoding):
    network, codes, image = random_network(seed, pooling, encoding)
    label = winner(network, codes, image)
    how = {"codes": codes, "relu": relu, "solver": solver, "threads": 1}
    how["time_limit"] = 600
    found = adversarial_margin(network, image, 0.5, **how)
    everywhere = leads(network, codes, grid(image, 0.5), label)
    assert found.value <= everywhere.min() + 1e-6
    shown = leads(network, codes, found.counterexample[None], label)[0]
    assert shown == pytest.approx(found.value, abs=1e-5)
    near = certified_radius(network, image, **how)
    if near.status == "robust":
        assert leads(network, codes, grid(image, 1.0), label).min() > 0
        return
    inside = grid(image, max(0.0, near.bound - 1e-6))
    assert leads(network, codes, inside, label).min() >= -1e-6
    shown = leads(network, codes, near.counterexample[None], label)[0]
    assert shown == pytest.approx(0, abs=1e-5)
    away = np.abs(near.counterexample - image).max()
    assert away == pytest.approx(near.value, abs=1e-6)


@pytest.mark.parametrize(
    ("pooling", "window"), [("average", 1), ("average", 2), ("max", 1)]
)
def test_an_average_is_a_dense_network_and_so_is_a_window_of_one(pooling, window):
    for seed in range(3):
        network, _, image = random_network(seed, pooling, side=4, window=window)
        flat = certified_radius(
            dense(network, image.shape), image.ravel(), time_limit=600
        )
        found = certified_radius(network, image, time_limit=600)
        assert (found.status, found.rival) == (flat.status, flat.rival)
        assert found.value == pytest.approx(flat.value, abs=1e-6)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_counterexample_has_the_images_shape(pooling, depth):
    network, codes, image = random_network(5, pooling, side=4, depth=depth)
    label = winner(network, codes, image)
    shapes = [image.shape] + ([image.shape[:2]] if depth == 1 else [])
    for shape in shapes:
        given = image.reshape(shape)
        found = certified_radius(network, given, largest=5.0, time_limit=600)
        assert found.counterexample.shape == shape
        at = conv_outputs(network, found.counterexample.reshape(1, *image.shape))[0]
        assert at[found.rival] == pytest.approx(at[label], abs=1e-5)
        # a little further another class wins outright
        beyond = adversarial_margin(network, given, 1.01 * found.value, time_limit=600)
        away = beyond.counterexample.reshape(image.shape)
        assert winner(network, codes, away) == beyond.rival != label


def test_what_reads_nothing_always_answers_the_same():
    readout = np.zeros((3, 2, 2, 1))
    network = ConvNetwork(np.ones((1, 3, 3, 1)), [0.0], readout, [0.0, 2.0, 1.0])
    found = certified_radius(network, np.zeros((4, 4)), largest=9.0)
    assert (found.status, found.bound) == ("robust", 9.0)
    assert adversarial_margin(network, np.zeros((4, 4)), 9.0).value == pytest.approx(1)


def test_a_wrong_answer_has_no_radius():
    network, codes, image = random_network(1)
    label = winner(network, codes, image)
    found = certified_radius(network, image, (label + 1) % 3)
    assert (found.value, found.bound, found.rival) == (0.0, 0.0, label)
    assert found.counterexample.shape == image.shape


@given(st.integers(0, 10**6), st.sampled_from(["max", "average"]))
@settings(max_examples=20, deadline=None)
def test_layers_of_maxima_are_the_network(seed, pooling):
    network, _, image = random_network(seed, pooling, side=4, depth=2)
    network.readout[:, 0, 0, 0] = 0  # nothing reads it: it is left out
    plain = unfolded(network)
    passing = image.ravel()
    for layer in plain.layers:
        pieces = (piece_matrix(layer) @ passing).reshape(layer.biases.shape)
        passing = (pieces + layer.biases).max(axis=1)
    assert len(passing) == (7 if pooling == "max" else 28)
    found = plain.weights @ passing + plain.biases
    assert np.allclose(found, conv_outputs(network, image[None])[0])


@given(st.integers(0, 10**6), st.floats(0.01, 1))
@settings(max_examples=20, deadline=None)
def test_pieces_lead_by_what_corners_of_the_box_show_and_losers_never_win(seed, radius):
    network, _, image = random_network(seed)
    [layer] = unfolded(network).layers
    lower, upper = image.ravel() - radius, image.ravel() + radius
    found = piece_leads(layer, lower, upper)
    corners = grid(image, radius, steps=2).reshape(-1, 4)
    values = (piece_matrix(layer) @ corners.T).T.reshape(-1, *layer.biases.shape)
    values = values + layer.biases
    apart = values[..., :, None] - values[..., None, :]
    assert np.allclose(found, apart.max(axis=0))
    wins = winning_pieces(found)
    inside = np.random.default_rng(seed).uniform(lower, upper, (200, 4))
    values = (piece_matrix(layer) @ inside.T).T.reshape(-1, *layer.biases.shape)
    values = values + layer.biases
    kept = np.where(wins, values, -np.inf)
    assert np.allclose(kept.max(axis=-1), values.max(axis=-1))


def test_of_equal_pieces_one_is_left():
    flat = ConvNetwork(
        np.zeros((2, 3, 3, 1)), [1.0, -1.0], np.ones((2, 1, 1, 2)), [0.0, 1.0]
    )
    [layer] = unfolded(flat).layers
    wins = winning_pieces(piece_leads(layer, np.zeros(4), np.ones(4)))
    assert wins.tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]]


def box_program(network, codes, image, radius, relu="big_m"):
    plain = unfolded(network)
    ahead = leads_over_rivals(plain, codes, winner(network, codes, image))
    return build_box(
        plain.layers, ahead, image.ravel(), radius, relu, least_size=True
    ).program


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("relu", ["big_m", "indicator"])
def test_what_the_box_decides_has_no_binaries(pooling, relu):
    network, codes, image = random_network(0, pooling, side=4)
    narrow = box_program(network, codes, image, 1e-9, relu)
    wide = box_program(network, codes, image, 100.0, relu)
    rivals = 2
    assert narrow.integer.sum() == rivals
    # every window of both channels has 0 and four pieces
    assert wide.integer.sum() == rivals + (8 * 5 if pooling == "max" else 32 * 2)


@given(st.integers(0, 10**6), st.sampled_from(["max", "average"]))
@settings(max_examples=15, deadline=None)
def test_a_search_nearby_first_changes_no_radius(seed, pooling):
    network, codes, image = random_network(seed, pooling)
    label = winner(network, codes, image)
    plain = unfolded(network)
    ahead = leads_over_rivals(plain, codes, label)
    whole = solvers.solve(box_program(network, codes, image, 1.0), time_limit=600)
    attack = closest_attack(plain.layers, ahead, image.ravel(), 1.0)
    found = certified_radius(network, image, codes=codes, time_limit=600)
    if whole.status == "infeasible":
        assert attack is None
        assert found.status == "robust"
        return
    assert found.value == pytest.approx(whole.objective, abs=1e-5)
    if attack is not None:
        where = attack.where.reshape(1, *image.shape)
        assert leads(network, codes, where, label)[0] <= 1e-9
        assert found.bound - 1e-6 <= attack.distance <= 1.0
        assert np.abs(where - image).max() == pytest.approx(attack.distance)


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_digits_of_an_estimator_are_verified_by_its_codes(encoding, pooling):
    digits = load_digits(n_class=4)
    images, labels = digits.images[:200] / 16, digits.target[:200]
    model = MILPConvClassifier(
        1, label_encoding=encoding, pooling=pooling, time_limit=4, restarts=1
    ).fit(images, labels)
    image = images[0]
    found = certified_radius(model.network_, image, codes=model.codes_, time_limit=600)
    assert found.status in ("optimal", "gap_reached", "robust")
    own = model.predict(image[None])
    random = np.random.default_rng(0)
    moves = random.uniform(-found.bound, found.bound, (500, *image.shape))
    corners = 0.999 * found.bound * np.sign(moves)
    assert (
        model.predict(image + np.concatenate([0.999 * moves, corners])) == own
    ).all()
    if found.counterexample is None:  # the time was enough for no weights
        return
    scored = model.decision_function(found.counterexample[None])[0]
    assert scored[found.rival] >= scored[own[0]] - 1e-5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"point": np.zeros(4)}, r"point has shape \(4,\); it must be \(2, 2, 1\)"),
        ({"point": np.full((2, 2), np.nan)}, "finite"),
        ({"largest": -1.0}, "radius is -1.0"),
        ({"relu": "partitioned"}, "relu is 'partitioned', .* choose big_m or indicat"),
        ({"codes": np.eye(4)}, r"codes has shape \(4, 4\)"),
        ({"label": 3}, "label is 3"),
    ],
)
def test_malformed_questions_are_refused(settings, words):
    network, _, image = random_network(0)
    with pytest.raises(ValueError, match=words):
        certified_radius(network, **({"point": image} | settings))

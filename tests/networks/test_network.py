import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.networks import (
    ReLUNetwork,
    ordered,
    outputs,
    parameter_reduction,
    preactivations,
    simplified,
    sparsity,
    used_neurons,
)


def sparse_network(seed, widths=(3, 4, 4, 2)):
    random = np.random.default_rng(seed)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    weights = [
        random.integers(-1, 2, each) * random.integers(0, 2, each) for each in shapes
    ]
    biases = [random.integers(-1, 2, each[0]) for each in shapes]
    return ReLUNetwork(tuple(weights), tuple(biases))


def test_every_layer_but_the_last_is_cut_off_at_zero():
    network = ReLUNetwork(([[1.0, -2.0], [0.0, 1.0]], [[3.0, -1.0]]), ([0.5, 0], [1]))
    hidden, readout = preactivations(network, [[1.0, 2.0], [2.0, -1.0]])
    assert hidden.tolist() == [[-2.5, 2.0], [4.5, -1.0]]
    assert readout.tolist() == [[-1.0], [14.5]]
    assert outputs(network, [[1.0, 2.0]]).tolist() == [[-1.0]]
    assert network.hidden == (2,)


def test_a_skipped_layer_hands_on_what_it_gets():
    zero = np.zeros((2, 2))
    short = ReLUNetwork((np.eye(2), np.ones((1, 2))), ([0, 0], [0]))
    long = ReLUNetwork(
        (np.eye(2), zero, np.ones((1, 2))), ([0, 0], [0, 0], [0]), [False, True]
    )
    data = np.random.default_rng(0).normal(size=(5, 2))
    assert np.array_equal(outputs(short, data), outputs(long, data))
    assert [each.tolist() for each in used_neurons(long)] == [[True] * 2, [False] * 2]
    assert parameter_reduction(long) == pytest.approx(6 / 15)


def test_a_neuron_without_a_way_in_or_out_is_not_used():
    network = ReLUNetwork(
        ([[1.0], [1.0], [0.0]], [[1.0, 0.0, 1.0]]), ([0, 0, 5.0], [0])
    )
    assert used_neurons(network)[0].tolist() == [True, False, False]
    assert sparsity(network) == pytest.approx(2 / 6)
    assert parameter_reduction(network) == pytest.approx(1 - 4 / 10)


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_simplified_and_ordered_network_is_the_same_function(seed):
    network = sparse_network(seed)
    data = np.random.default_rng(seed).normal(size=(7, 3))
    short = simplified(network)
    assert np.allclose(outputs(short, data), outputs(network, data))
    assert np.allclose(outputs(ordered(short), data), outputs(network, data))
    assert sparsity(short) >= sparsity(network)
    for layer, alive in enumerate(used_neurons(short)):
        idle = ~alive
        assert not short.weights[layer + 1][:, idle].any() or layer == 0


def test_constants_stay_where_the_next_biases_have_no_room():
    network = ReLUNetwork(([[0.0]], [[1.0]]), ([2.0], [2.0]))
    assert simplified(network, bias_limit=3).weights[1].tolist() == [[1.0]]
    folded = simplified(network, bias_limit=4)
    assert folded.weights[1].tolist() == [[0.0]]
    assert folded.biases[1].tolist() == [4.0]


def test_neurons_that_are_off_come_last():
    network = ReLUNetwork(([[0.0], [-1.0], [2.0]], [[0.0, 1, 1]]), ([0, 0, 0], [0]))
    assert ordered(network).weights[0].tolist() == [[2.0], [-1.0], [0.0]]


@pytest.mark.parametrize(
    ("weights", "biases", "skipped", "words"),
    [
        (([[1.0]],), ([0.0], [0.0]), [], "weights has 1 arrays"),
        (([[1.0]], [[1.0, 2.0]]), ([0.0], [0.0]), [], r"weights\[1\] has shape"),
        (([[1.0]], [[1.0]]), ([0.0], [0.0]), [True], r"skipped\[0\] is True"),
    ],
)
def test_shapes_that_do_not_follow_one_another_are_refused(
    weights, biases, skipped, words
):
    with pytest.raises(ValueError, match=words):
        ReLUNetwork(weights, biases, skipped)

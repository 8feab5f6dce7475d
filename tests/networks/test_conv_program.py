import itertools

import numpy as np
import pytest
from scipy.signal import correlate2d

from qpm_jax import solvers
from qpm_jax.networks import (
    ConvNetwork,
    ConvProblem,
    build_conv,
    build_conv_layer,
    conv_interval_bounds,
    conv_outputs,
    conv_program_size,
    read_conv,
    weight_family,
    write_conv,
)
from qpm_jax.networks.conv_network import (
    conv_parameter_reduction,
    conv_simplified,
    conv_sparsity,
    convolved,
    pooled,
)
from qpm_jax.solvers.solution import evaluate


def test_a_filter_slides_over_the_image_with_zeros_around_it(conv_problem, random_conv):
    problem = conv_problem(depth=2)
    network = random_conv(1, problem)
    reached = convolved(network, problem.images)
    for image, channel in itertools.product(range(4), range(2)):
        parts = [
            correlate2d(
                problem.images[image, ..., d],
                network.filters[channel, ..., d],
                mode="same",
            )
            for d in range(2)
        ]
        wanted = sum(parts) + network.filter_biases[channel]
        assert np.allclose(reached[image, ..., channel], wanted)


def test_pooling_takes_the_largest_or_the_mean_of_each_window():
    maps = np.arange(16.0).reshape(1, 4, 4, 1)
    ones = np.zeros((1, 3, 3, 1))
    ones[0, 1, 1, 0] = 1
    readout = np.zeros((2, 2, 2, 1))
    best = ConvNetwork(ones, np.zeros(1), readout, np.zeros(2))
    mean = ConvNetwork(ones, np.zeros(1), readout, np.zeros(2), "average")
    assert pooled(best, maps)[0, ..., 0].tolist() == [[5, 7], [13, 15]]
    assert pooled(mean, maps)[0, ..., 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


@pytest.mark.parametrize("relu", ["big_m", "indicator", "partitioned"])
@pytest.mark.parametrize("family", ["grid", "ternary", "bilinear"])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_the_program_has_the_networks_values_and_objective(
    relu, family, pooling, encoding, conv_problem, random_conv
):
    problem = conv_problem(
        classes=3,
        depth=2,
        pooling=pooling,
        label_encoding=encoding,
        family=weight_family(family),
        channel_price=0.1,
        gate_price=0.01,
        l2=0.05,
    )
    network = random_conv(2, problem)
    conv = build_conv(problem, relu, quadratic=True)
    values = write_conv(conv, network)
    objective, violation = evaluate(conv.program, values)
    assert violation < 1e-9
    assert objective == pytest.approx(problem.objective(network))
    again = read_conv(conv, values)
    assert np.allclose(again.readout, network.readout)
    assert np.allclose(conv_outputs(again, problem.images), reached(problem, network))


def reached(problem, network):
    return conv_outputs(network, problem.images)


def test_tangents_in_place_of_squares_never_cost_more(conv_problem, random_conv):
    problem = conv_problem(l2=0.3)
    network = random_conv(0, problem)
    conv = build_conv(problem)
    objective, violation = evaluate(conv.program, write_conv(conv, network))
    assert violation < 1e-9
    assert objective <= problem.objective(network) + 1e-9


def test_with_an_objective_the_big_m_are_smaller_and_still_hold(
    conv_problem, random_conv
):
    problem = conv_problem(l1=0.5)
    network = random_conv(3, problem)
    free = conv_interval_bounds(problem).upper
    tight = conv_interval_bounds(problem, 0.8)
    assert (tight.upper <= free).all()
    assert tight.upper.sum() < free.sum()
    cheap = problem.network(
        network.filters / np.abs(network.filters).sum() * 1.6,
        network.filter_biases,
        network.readout,
        network.readout_biases,
    )
    reached = convolved(cheap, problem.images)
    assert (tight.lower <= reached).all()
    assert (reached <= tight.upper).all()


def test_the_layer_alone_is_the_first_part_of_the_whole(conv_problem, random_conv):
    problem = conv_problem(pooling="max")
    layer = build_conv_layer(problem)
    network = random_conv(0, problem)
    assert evaluate(layer.program, write_conv(layer, network))[1] < 1e-9
    whole, size = build_conv(problem), conv_program_size(problem)
    assert size["variables"] == whole.program.num_variables
    assert size["binaries"] == whole.program.integer.sum()
    assert size["relu_binaries"] == 4 * 4 * 4 * 2
    assert layer.program.num_variables < size["variables"]


def test_the_least_objective_is_found_in_a_case_that_can_be_counted_out():
    pixels = np.zeros((3, 2, 2))
    pixels[0, 0, 0], pixels[1, 1, 1], pixels[2] = 1.0, 0.5, 0.25
    problem = ConvProblem(
        pixels,
        [0, 1, 1],
        2,
        channels=1,
        filter_size=1,
        family=weight_family("ternary"),
        l1=0.05,
    )
    conv = build_conv(problem)
    found = solvers.solve(conv.program, "highs", threads=1)
    assert found.status == "optimal"
    network = read_conv(conv, found.values)
    assert found.objective == pytest.approx(problem.objective(network), abs=1e-6)
    at = np.linspace(-1, 1, 5)
    counted = min(
        problem.objective(
            problem.network([f], np.array([b]), [v, w], np.array([one, other]))
        )
        for v, w in itertools.product([-1, 0, 1], repeat=2)
        for f, b, one, other in itertools.product(at, at, at[::2], at[::2])
    )
    assert found.objective <= counted + 1e-9
    assert counted - found.objective < 0.1


def test_encodings_and_the_order_of_channels_leave_the_optimum(conv_problem):
    problem = conv_problem(
        images=2,
        side=2,
        filter_size=1,
        pooling="average",
        family=weight_family("ternary"),
        l1=0.2,
    )
    found = [
        solvers.solve(build_conv(problem, relu, ordered=ordered).program, threads=1)
        for relu, ordered in (("big_m", True), ("big_m", False), ("partitioned", True))
    ]
    assert [each.status for each in found] == ["optimal"] * 3
    objectives = [each.objective for each in found]
    assert np.ptp(objectives) < 1e-5


def test_a_gate_or_channel_that_is_off_is_not_paid_for(conv_problem, random_conv):
    problem = conv_problem(channel_price=1.0, gate_price=0.1, l1=0.0)
    network = random_conv(0, problem)
    readout = network.readout.copy()
    readout[...] = 0
    readout[0, 0, 0, 0] = 0.25
    single = conv_simplified(
        problem.network(
            network.filters, network.filter_biases, readout, network.readout_biases
        )
    )
    assert problem.penalty(single) == pytest.approx(1.1)
    assert conv_sparsity(single) == pytest.approx(1 - 10 / (18 + 16))
    assert conv_parameter_reduction(single) == pytest.approx(1 - 14 / 38)
    conv = build_conv(problem)
    assert evaluate(conv.program, write_conv(conv, single))[1] < 1e-9


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channels": 0}, "channels is 0; it must be a whole number"),
        ({"filter_size": 2}, "filter_size is 2; it must be odd"),
        ({"window": 3}, "window is 3, but images are 4×4"),
        ({"pooling": "min"}, "pooling is 'min'; choose one of max, average"),
        ({"gate_price": -1}, "gate_price is -1"),
        ({"weight_limit": 0}, "weight_limit is 0"),
        ({"label_encoding": "x"}, "label_encoding is 'x'"),
        ({"classes": 5}, "labels has no image|labels has no instance of class 4"),
    ],
)
def test_a_malformed_problem_is_refused(settings, words, conv_problem):
    with pytest.raises(ValueError, match=words):
        conv_problem(**settings)


def test_malformed_images_and_encodings_are_refused(conv_problem):
    with pytest.raises(ValueError, match=r"images has shape \(2, 3\)"):
        ConvProblem(np.zeros((2, 3)), [0, 1], 2)
    with pytest.raises(ValueError, match="images holds NaN"):
        ConvProblem(np.full((2, 2, 2), np.nan), [0, 1], 2)
    with pytest.raises(ValueError, match="relu is 'sos'"):
        build_conv(conv_problem(), "sos")


def test_a_network_of_shapes_that_do_not_fit_is_refused():
    filters, readout = np.zeros((2, 3, 3, 1)), np.zeros((4, 2, 2, 2))
    fine = (filters, np.zeros(2), readout, np.zeros(4))
    for place, wrong, words in (
        (0, np.zeros((2, 2, 2, 1)), "filters has shape"),
        (1, np.zeros(3), "filter_biases"),
        (2, np.zeros((4, 2, 2, 3)), "readout is for 3 channels"),
        (3, np.zeros(5), "readout_biases"),
    ):
        parts = list(fine)
        parts[place] = wrong
        with pytest.raises(ValueError, match=words):
            ConvNetwork(*parts)
    with pytest.raises(ValueError, match="pooling is 'mean'"):
        ConvNetwork(*fine, pooling="mean")

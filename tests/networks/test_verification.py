import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from qpm_jax.networks import (
    MILPNetworkClassifier,
    ReLUNetwork,
    adversarial_margin,
    certified_radius,
    outputs,
)
from qpm_jax.networks.labels import class_codes, scores


def leads(network, points, label, codes):
    """The label's score minus the best rival's."""
    found = scores(outputs(network, points), codes)
    return found[:, label] - np.delete(found, label, axis=1).max(axis=1)


def grid(point, radius, steps=41):
    line = np.linspace(-radius, radius, steps)
    return point + np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


def random_box(point, radius, number=500):
    random = np.random.default_rng(0)
    return point + random.uniform(-radius, radius, (number, len(point)))


def test_a_single_kink_has_the_radius_one_reads_off():
    # outputs relu(x) and 1: the label 1 is overtaken at x = 1
    network = ReLUNetwork(([[1.0]], [[1.0], [0.0]]), ([0.0], [0.0, 1.0]))
    found = certified_radius(network, [0.25])
    assert found.value == pytest.approx(0.75)
    assert found.bound == pytest.approx(0.75)
    assert found.counterexample == pytest.approx(1.0)
    assert (found.rival, found.status) == (0, "optimal")
    margin = adversarial_margin(network, [0.25], 0.5)
    assert margin.value == pytest.approx(0.25)
    far = certified_radius(network, [-3.0], largest=2.0)
    assert (far.status, far.value, far.bound) == ("robust", 2.0, 2.0)
    assert far.counterexample is None


def test_a_wrong_answer_has_no_radius():
    network = ReLUNetwork(([[1.0]], [[1.0], [0.0]]), ([0.0], [0.0, 1.0]))
    found = certified_radius(network, [0.0], label=0)
    assert (found.value, found.rival) == (0.0, 1)


@pytest.mark.parametrize(
    ("relu", "solver"),
    [("big_m", "highs"), ("partitioned", "highs"), ("indicator", "scip")],
)
@given(
    st.integers(0, 10**6),
    st.sampled_from([((2, 4, 3), "one_hot"), ((2, 3, 3, 2), "binary")]),
)
@settings(max_examples=20, deadline=None)
def test_no_input_in_the_box_has_a_smaller_lead(relu, solver, seed, shape):
    widths, encoding = shape
    random = np.random.default_rng(seed)
    pairs = list(zip(widths[1:], widths[:-1], strict=True))
    network = ReLUNetwork(
        tuple(random.normal(size=each) for each in pairs),
        tuple(random.normal(size=each[0]) for each in pairs),
    )
    codes = class_codes(3, encoding)
    point = random.normal(size=2)
    how = {"codes": codes, "relu": relu, "solver": solver, "threads": 1}
    found = adversarial_margin(network, point, 0.5, **how)
    label = scores(outputs(network, point[None]), codes)[0].argmax()
    sampled = leads(network, grid(point, 0.5), label, codes)
    assert found.value <= sampled.min() + 1e-6
    shown = leads(network, found.counterexample[None], label, codes)[0]
    assert shown == pytest.approx(found.value, abs=1e-5)
    near = certified_radius(network, point, **how)
    if near.status == "robust":
        assert leads(network, grid(point, 1.0), label, codes).min() > 0
    else:
        inside = grid(point, max(0.0, near.value - 1e-6))
        assert leads(network, inside, label, codes).min() >= -1e-6
        shown = leads(network, near.counterexample[None], label, codes)[0]
        assert shown == pytest.approx(0, abs=1e-5)
        away = np.abs(near.counterexample - point).max()
        assert away == pytest.approx(near.value, abs=1e-6)


def test_skipped_layers_are_seen_through():
    zero = np.zeros((1, 1))
    network = ReLUNetwork(
        ([[1.0]], zero, [[1.0], [0.0]]), ([0.0], [0.0], [0.0, 1.0]), [False, True]
    )
    assert certified_radius(network, [0.5]).value == pytest.approx(0.5)


def test_without_time_nothing_is_proven():
    network = ReLUNetwork(([[1.0]], [[1.0], [0.0]]), ([0.0], [0.0, 1.0]))
    found = certified_radius(network, [0.25], time_limit=0)
    # gradient descent alone shows that the radius is no larger
    assert (found.bound, found.status) == (0.0, "time_limit")
    assert found.value >= 0.75
    assert outputs(network, found.counterexample[None])[0].argmax() == found.rival
    least = adversarial_margin(network, [0.25], 0.5, time_limit=0)
    assert (least.bound, least.counterexample) == (-np.inf, None)


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_an_estimators_answers_are_verified_by_its_codes(encoding):
    lengths, species = load_iris(return_X_y=True)
    lengths = scale(lengths)
    model = MILPNetworkClassifier((3,), label_encoding=encoding, time_limit=0.3)
    model.fit(lengths, species)
    assert np.array_equal(model.codes_, class_codes(3, encoding))
    found = certified_radius(
        model.network_, lengths[0], codes=model.codes_, time_limit=600
    )
    assert found.status in ("optimal", "robust")
    own = model.predict(lengths[:1])
    near = random_box(lengths[0], 0.999 * found.bound)
    assert (model.predict(near) == own).all()
    if found.counterexample is not None:
        away = lengths[0] + (1 + 1e-6) * (found.counterexample - lengths[0])
        scored = model.decision_function(away[None])[0]
        assert scored[found.rival] >= scored[own] - 1e-4


@pytest.mark.parametrize("verify", [certified_radius, adversarial_margin])
def test_what_is_no_network_is_refused_by_name(verify):
    with pytest.raises(ValueError, match="network is a dict; it must be a ReLUNetwork"):
        verify({}, [0.0], 0.1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"point": [0.0, 1.0]}, r"point has shape \(2,\)"),
        ({"largest": 0}, "radius is 0"),
        ({"relu": "sos"}, "relu is 'sos'; choose one of big_m, indicator"),
        ({"relu": "indicator"}, "choose scip or gurobi"),
        ({"codes": np.eye(3)}, r"codes has shape \(3, 3\)"),
        ({"label": 2}, "label is 2"),
    ],
)
def test_malformed_questions_are_refused(settings, words):
    network = ReLUNetwork(([[1.0]], [[1.0], [0.0]]), ([0.0], [0.0, 1.0]))
    with pytest.raises(ValueError, match=words):
        certified_radius(network, **({"point": [0.0]} | settings))

import pickle
import warnings

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from qpm_jax import networks
from qpm_jax.networks import MILPConvClassifier


def digits(number=200):
    source = load_digits()
    return source.images[:number] / 16, source.target[:number]


@pytest.fixture(scope="module")
def fitted():
    model = MILPConvClassifier(time_limit=6, restarts=1, threads=1)
    return model.fit(*digits())


def test_digits_are_told_apart_by_a_sparse_network(fitted):
    assert fitted.score(*digits()) > 0.9
    assert [each.shape for each in fitted.weights_] == [(2, 3, 3, 1), (10, 4, 4, 2)]
    assert [each.shape for each in fitted.biases_] == [(2,), (10,)]
    assert 0.1 < fitted.sparsity_ < 1
    assert 0 <= fitted.parameter_reduction_ < 1
    assert 0 <= fitted.bound_ <= fitted.objective_
    assert fitted.gap_ == pytest.approx(1 - fitted.bound_ / fitted.objective_)
    assert fitted.status_ in ("time_limit", "warm_start")
    assert fitted.history_[-1][1] == fitted.objective_
    steps = fitted.weights_[1] / 0.0625
    assert np.array_equal(steps, np.round(steps))


def test_the_flax_module_predicts_the_same(fitted):
    images, _ = digits(400)
    module, variables = fitted.to_flax()
    scores = module.apply(variables, images[..., None])
    assert scores.dtype == np.float64
    found = fitted.classes_[np.argmax(scores, axis=1)]
    assert np.array_equal(found, fitted.predict(images))
    compiled = jax.jit(module.apply)(variables, images[..., None])
    assert np.array_equal(np.argmax(compiled, 1), np.argmax(scores, 1))


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_two_classes_of_colour_images_with_names(pooling):
    random = np.random.default_rng(0)
    images = random.uniform(size=(20, 4, 4, 3))
    images[::2, ..., 0] += 1.0
    names = np.where(np.arange(20) % 2, "grey", "red")
    model = MILPConvClassifier(
        1,
        label_encoding="binary",
        pooling=pooling,
        weight_limit=2.0,
        time_limit=5.5,
        restarts=1,
    ).fit(images, names)
    assert model.score(images, names) > 0.9
    assert model.decision_function(images).shape == (20,)
    module, variables = model.to_flax()
    found = np.argmax(module.apply(variables, images), axis=1)
    assert np.array_equal(model.classes_[found], model.predict(images))


def test_without_time_the_start_is_the_answer_and_it_says_so():
    model = MILPConvClassifier(time_limit=0).fit(*digits(50))
    assert model.status_ == "warm_start"
    assert model.objective_ == 1
    assert model.bound_ == 0


def test_it_is_cloned_pickled_and_found(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict(digits()[0]), fitted.predict(digits()[0]))
    assert clone(fitted).get_params() == fitted.get_params()
    assert "MILPConvClassifier" in dir(networks)


def test_bytes_are_warned_of():
    images, labels = digits(50)
    with pytest.warns(UserWarning, match="its largest pixel is 255 times 1"):
        MILPConvClassifier(time_limit=0).fit(images * 255, labels)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channels": 0}, "channels is 0"),
        ({"window": 3}, "window is 3, but images are 8×8"),
        ({"deep_weights": "real"}, "deep_weights is 'real'"),
        ({"deep_weights": "bilinear"}, "choose scip or gurobi"),
        ({"solver": "cbc"}, "solver is 'cbc'"),
        ({"restarts": 0}, "restarts is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        MILPConvClassifier(**settings).fit(*digits(50))


def test_wrong_images_and_labels_are_refused(fitted):
    images, labels = digits(50)
    model = MILPConvClassifier(time_limit=0)
    with pytest.raises(ValueError, match=r"images has shape \(50, 64\)"):
        model.fit(images.reshape(50, 64), labels)
    with pytest.raises(ValueError, match=r"y has shape \(49,\); it must be \[50\]"):
        model.fit(images, labels[:-1])
    with pytest.raises(ValueError, match="y holds one class"):
        model.fit(images, np.zeros(50))
    with pytest.raises(ValueError, match=r"X has images of shape \(4, 4, 1\)"):
        fitted.predict(images[:, :4, :4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(images, labels)

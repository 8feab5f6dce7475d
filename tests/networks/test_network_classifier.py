import pickle
import subprocess
import sys
import warnings

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import check_estimator

import qpm_jax
from qpm_jax import networks
from qpm_jax.networks import MILPNetworkClassifier, WeightSign


def iris():
    lengths, species = load_iris(return_X_y=True)
    return scale(lengths), species


@pytest.fixture(scope="module")
def fitted():
    return MILPNetworkClassifier(time_limit=5, threads=1).fit(*iris())


def test_scikit_learn_finds_nothing_wrong():
    model = MILPNetworkClassifier(time_limit=0.1, threads=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X is not scaled")
        results = check_estimator(model, on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 45


def test_iris_is_told_apart_by_a_sparse_network(fitted):
    lengths, species = iris()
    assert fitted.score(lengths, species) > 0.93
    assert [each.shape for each in fitted.weights_] == [(4, 4), (3, 4)]
    assert [each.shape for each in fitted.biases_] == [(4,), (3,)]
    assert fitted.sparsity_ > 0.3
    assert 0 <= fitted.parameter_reduction_ < 1
    assert 0 <= fitted.bound_ <= fitted.objective_ < 0.25
    assert fitted.status_ == "time_limit"
    assert fitted.solve_seconds_ < 30
    assert fitted.n_features_in_ == 4
    deep = fitted.weights_[1]
    assert np.array_equal(deep, np.round(deep * 2) / 2)


def test_history_tells_of_better_networks_and_bounds(fitted):
    seconds, objectives, bounds = np.array(fitted.history_).T
    assert (np.diff(seconds) >= 0).all()
    assert (np.diff(objectives) <= 0).all()
    assert (np.diff(bounds) >= 0).all()
    assert objectives[-1] == fitted.objective_
    assert bounds[-1] == fitted.bound_


@pytest.mark.parametrize("encoding", ["one_hot", "binary"])
def test_the_flax_module_predicts_the_same(encoding):
    lengths, species = iris()
    model = MILPNetworkClassifier(
        (3, 3), label_encoding=encoding, time_limit=0.5, threads=1
    ).fit(lengths, species)
    module, variables = model.to_flax()
    scores = module.apply(variables, lengths)
    assert scores.dtype == np.float64
    assert np.array_equal(model.classes_[np.argmax(scores, 1)], model.predict(lengths))
    assert np.allclose(scores, model.decision_function(lengths), atol=1e-12)
    # also where the caller compiles, and in single precision inputs
    compiled = jax.jit(module.apply)(variables, lengths)
    assert np.array_equal(np.argmax(compiled, 1), model.predict(lengths))


def test_two_classes_have_one_decision(fitted):
    lengths, species = iris()
    model = MILPNetworkClassifier((2,), label_encoding="binary", time_limit=0.5)
    names = np.where(species == 2, "virginica", "other")
    model.fit(lengths, names)
    assert model.weights_[-1].shape == (1, 2)
    decided = model.decision_function(lengths)
    assert decided.shape == (150,)
    assert np.array_equal(model.predict(lengths) == "virginica", decided > 0)
    assert model.score(lengths, names) > 0.9


def test_rules_hold_in_the_fitted_network():
    lengths, species = iris()
    rules = (WeightSign(2, 1), WeightSign(3, 1))
    model = MILPNetworkClassifier(rules=rules, time_limit=0.5).fit(lengths, species)
    assert (model.weights_[0][:, 2:] >= 0).all()


def test_without_time_the_start_is_the_answer_and_it_says_so():
    model = MILPNetworkClassifier(time_limit=0).fit(*iris())
    assert model.status_ == "warm_start"
    assert model.score(*iris()) > 0.7
    assert model.bound_ == 0


def test_an_expensive_network_is_none_and_proven_so():
    lengths, species = (each[::5] for each in iris())
    model = MILPNetworkClassifier(l1=10, time_limit=3).fit(lengths, species)
    assert model.status_ == "optimal"
    assert model.sparsity_ == 1
    assert model.parameter_reduction_ == pytest.approx(1 - 3 / 35)
    assert model.objective_ == pytest.approx(1)


def test_unscaled_data_are_warned_of_with_the_ratio():
    lengths, species = iris()
    with pytest.warns(UserWarning, match="X is not scaled: its largest feature is 100"):
        MILPNetworkClassifier(time_limit=0).fit(lengths * [1, 100, 1, 1], species)


def test_the_estimator_works_in_a_pipeline_and_survives_pickling():
    lengths, species = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), MILPNetworkClassifier(time_limit=0.2))
    model = clone(model).fit(lengths, species)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(lengths), model.predict(lengths))


def test_without_a_random_state_it_still_fits():
    model = MILPNetworkClassifier(time_limit=0, random_state=None).fit(*iris())
    assert model.status_ == "warm_start"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": (0,)}, r"hidden is \(0,\)"),
        ({"hidden": ()}, r"hidden is \(\)"),
        ({"deep_weights": "real"}, "deep_weights is 'real'"),
        ({"relu": "sos"}, "relu is 'sos'"),
        ({"solver": "cbc"}, "solver is 'cbc'"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"gap": "a"}, "gap is 'a'"),
        ({"l1": -1}, "l1 is -1"),
        ({"label_encoding": "code"}, "label_encoding is 'code'"),
        ({"relu": "indicator"}, "cannot take relu='indicator'; choose scip or gurobi"),
        ({"deep_weights": "bilinear"}, "choose scip or gurobi"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        MILPNetworkClassifier(**settings).fit(*iris())


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="y holds one class"):
        MILPNetworkClassifier().fit(np.eye(3), [1, 1, 1])


def test_the_estimator_is_found_and_imports_scikit_learn_only_then():
    assert "MILPNetworkClassifier" in dir(networks)
    assert qpm_jax.networks is networks
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        networks.absent  # noqa: B018
    code = (
        "import sys, qpm_jax.networks as n; assert 'sklearn' not in sys.modules;"
        "assert 'highspy' not in sys.modules; assert 'scipy.optimize' not in"
        " sys.modules; n.MILPNetworkClassifier"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

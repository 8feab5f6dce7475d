import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

import qpm_jax
from qpm_jax import regression
from qpm_jax.regression import (
    BinarizedRegressionClassifier,
    PseudoBooleanRegressionClassifier,
    TernaryGradientDescentClassifier,
)

PROVEN = [BinarizedRegressionClassifier, PseudoBooleanRegressionClassifier]


def digits(count=60):
    pixels, labels = load_digits(n_class=3, return_X_y=True)
    return pixels[:count], labels[:count]


@pytest.mark.parametrize(
    "model",
    [
        BinarizedRegressionClassifier(time_limit=600, solver="highs"),
        BinarizedRegressionClassifier(time_limit=600, solver="native"),
        PseudoBooleanRegressionClassifier(time_limit=600),
    ],
)
def test_scikit_learn_finds_nothing_wrong(model):
    results = check_estimator(model, on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 45


# Each fit of another shape compiles, so only what the shared base does not settle.
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_classifiers_one_label,
        estimator_checks.check_dict_unchanged,
        estimator_checks.check_estimators_nan_inf,
        estimator_checks.check_estimators_overwrite_params,
        estimator_checks.check_fit_idempotent,
        estimator_checks.check_parameters_default_constructible,
    ],
)
def test_scikit_learn_finds_nothing_wrong_with_the_gradient_baseline(check):
    check("TernaryGradientDescentClassifier", TernaryGradientDescentClassifier())


@pytest.mark.parametrize("kind", PROVEN)
def test_digits_are_told_apart_by_ternary_weights_proven_best(kind):
    pixels, labels = digits()
    model = kind(solver="highs").fit(pixels, labels)
    assert model.status_ == "optimal"
    assert model.objective_ == model.bound_ == -1760
    assert model.gap_ == 0
    assert model.score(pixels, labels) >= 0.95
    assert model.coef_.shape == (3, 64)
    assert set(model.coef_.flat) <= {-1, 0, 1}
    assert model.intercept_.dtype == np.int64
    assert np.abs(model.intercept_).max() <= model.intercept_bound_
    assert model.reduction_ == (model.coef_ == 0).mean()
    assert model.solve_seconds_ > 0
    assert model.n_features_in_ == 64


def test_a_feature_is_one_above_its_median():
    features = np.array([[1.0, 9], [2, 9], [3, 0], [4, 0]])
    model = BinarizedRegressionClassifier().fit(features, [0, 0, 1, 1])
    assert model.thresholds_.tolist() == [2.5, 4.5]
    near = np.array([[2.5, 4.5], [2.6, 4.4]])
    whole = np.array([[0, 0], [1, 0]])
    scores = whole @ model.coef_.T + model.intercept_
    assert np.array_equal(model.decision_function(near), scores[:, 1] - scores[:, 0])


def test_a_number_is_the_threshold_of_all_features():
    features = np.array([[1.0, 9], [2, 9], [3, 0], [4, 0]])
    model = BinarizedRegressionClassifier(threshold=3).fit(features, [0, 0, 1, 1])
    assert model.thresholds_.tolist() == [3, 3]


def test_without_a_threshold_whole_features_are_taken_as_they_are():
    features = np.array([[0, 3], [1, 3], [0, 0], [1, 0]])
    model = BinarizedRegressionClassifier(threshold=None).fit(features, [0, 0, 1, 1])
    assert model.thresholds_ is None
    assert model.predict(features).tolist() == [0, 0, 1, 1]
    assert np.ptp(model.decision_function(features)) == 2 * 3


def test_of_equal_scores_the_first_class_wins():
    features, labels = np.zeros((4, 2)), ["b", "a", "b", "a"]
    model = BinarizedRegressionClassifier().fit(features, labels)
    assert model.objective_ == 0
    if not model.intercept_.any():
        assert model.predict(features).tolist() == ["a"] * 4


def test_the_estimators_work_in_pipelines_and_searches():
    pixels, labels = digits(45)
    steps = make_pipeline(StandardScaler(), BinarizedRegressionClassifier(threads=1))
    grid = {"binarizedregressionclassifier__beta": [2.0, 5.0]}
    search = GridSearchCV(steps, grid, cv=3).fit(pixels, labels)
    assert search.best_score_ > 0.8
    assert clone(search.best_estimator_).get_params()


def test_a_fitted_estimator_survives_pickling():
    pixels, labels = digits()
    model = BinarizedRegressionClassifier().fit(pixels, labels)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(pixels), model.predict(pixels))


def test_the_gradient_baseline_learns_digits():
    pixels, labels = digits()
    model = TernaryGradientDescentClassifier(epochs=100).fit(pixels, labels)
    assert model.score(pixels, labels) > 0.8
    assert set(model.coef_.flat) <= {-1, 0, 1}
    assert 0 <= model.reduction_ < 1


def test_without_a_random_state_the_baseline_differs_every_time():
    pixels, labels = digits(30)
    first, second = (
        TernaryGradientDescentClassifier(epochs=1, random_state=None)
        .fit(pixels, labels)
        .coef_
        for _ in range(2)
    )
    assert not np.array_equal(first, second)


def unbalanced():
    features = np.random.default_rng(0).integers(0, 2, (20, 4))
    return features, np.arange(20) // 18


@pytest.mark.parametrize("kind", PROVEN)
def test_where_the_published_program_is_unbounded_the_intercepts_are_bounded(kind):
    model = kind().fit(*unbalanced())
    assert model.status_ == "optimal"
    assert np.abs(model.intercept_).max() <= model.intercept_bound_ == 1
    with pytest.raises(ValueError, match="bounded=False, but the program is unbounded"):
        kind(bounded=False).fit(*unbalanced())


def test_where_it_is_bounded_the_bound_changes_nothing():
    lengths, species = load_iris(return_X_y=True)
    kept = BinarizedRegressionClassifier().fit(lengths, species)
    free = BinarizedRegressionClassifier(bounded=False).fit(lengths, species)
    assert kept.objective_ == free.objective_
    assert kept.status_ == "optimal"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"threshold": None}, "threshold is None, but X holds"),
        ({"threshold": "mean"}, "threshold is 'mean'"),
        ({"threshold": True}, "threshold is True"),
        ({"solver": "cbc"}, "solver is 'cbc'"),
        ({"time_limit": 0}, "seconds were over before any weights"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"alpha": -1}, "alpha is -1"),
        ({"beta": 1}, "beta must be at least alpha"),
    ],
)
@pytest.mark.parametrize("kind", PROVEN)
def test_a_wrong_setting_is_refused_by_name(kind, settings, words):
    lengths, species = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=words):
        kind(**settings).fit(lengths, species)


def test_zero_weights_for_want_of_time_are_no_fit_of_the_native_solver_either():
    lengths, species = load_iris(return_X_y=True)
    model = BinarizedRegressionClassifier(solver="native", time_limit=0)
    with pytest.raises(ValueError, match="seconds were over before any weights"):
        model.fit(lengths, species)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="y holds one class"):
        BinarizedRegressionClassifier().fit(np.eye(3), [1, 1, 1])


def test_the_estimators_are_found_and_import_scikit_learn_only_then():
    assert "BinarizedRegressionClassifier" in dir(regression)
    assert qpm_jax.regression is regression
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        regression.absent  # noqa: B018
    code = (
        "import sys, qpm_jax.regression as r; assert 'sklearn' not in sys.modules;"
        "assert 'highspy' not in sys.modules; r.BinarizedRegressionClassifier"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

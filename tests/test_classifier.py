import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import qpm_jax
from qpm_jax import QPMClassifier

# All classes of a QPM differ, so one of two features cannot describe three classes.
OF_THREE_CLASSES_AND_TWO_FEATURES = {
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_readonly_memmap_input",
}
OF_FOUR_CLASSES = {"check_dtype_object"}
OF_THREE_CLASSES = {
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_f_contiguous_array_estimator",
    "check_fit2d_predict1d",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_supervised_y_2d",
}
OF_TWO_FEATURES = {
    "check_classifier_data_not_an_array",
    "check_decision_proba_consistency",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_n_features_in",
}


@pytest.mark.parametrize(
    ("num_features", "impossible"), [(2, OF_THREE_CLASSES), (3, OF_TWO_FEATURES)]
)
def test_scikit_learn_finds_nothing_wrong_where_its_data_can_be_described(
    num_features, impossible
):
    """Every check but those impossible for both numbers passes with one of them."""
    model = QPMClassifier(num_features, 1, time_limit=5)
    results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {r["check_name"] for r in results if r["status"] == "failed"}
    never = OF_THREE_CLASSES_AND_TWO_FEATURES | OF_FOUR_CLASSES
    assert failed <= never | impossible
    assert sum(r["status"] == "passed" for r in results) > 30


@pytest.fixture(scope="module")
def wine():
    return train_test_split(*load_wine(return_X_y=True), random_state=0)


def blobs(seed=0, classes=4, features=8, count=200):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    shown = np.arange(features)[None] % classes == labels[:, None]
    return random.normal(size=(count, features)) + 3 * shown, labels


def test_handwritten_digits_are_told_apart_by_five_pixels_each():
    pixels, digits = load_digits(return_X_y=True)
    train, test, known, held = train_test_split(pixels, digits, random_state=0)
    model = QPMClassifier(20, solver_options={"max_rounds": 5}).fit(train, known)
    assert model.assignment_.sum(axis=1).tolist() == [5] * 10
    assert model.score(test, held) > 0.7


def test_wine_is_told_apart_and_the_assignment_is_proven_best(wine):
    train, test, known, held = wine
    model = QPMClassifier(6, 2).fit(train, known)
    assert model.score(test, held) > 0.8
    assert model.optimal_
    assert model.status_ == "optimal"
    assert model.gap_ == pytest.approx(0, abs=1e-6)
    assert model.bound_ >= model.objective_
    assert model.solve_seconds_ < 10


def test_classes_far_apart_are_told_apart():
    features, labels = blobs()
    model = QPMClassifier(8, 2).fit(features, labels)
    assert model.score(features, labels) > 0.95


def test_the_score_is_the_sum_of_a_class_s_normalised_features(wine):
    train, test, known, _ = wine
    model = QPMClassifier(6, 2).fit(train, known)
    scores = np.zeros((len(test), 3))
    for sample, label in np.ndindex(scores.shape):
        for place, feature in enumerate(model.selected_):
            if model.assignment_[label, place]:
                column = train[:, feature]
                value = (test[sample, feature] - column.mean()) / column.std()
                scores[sample, label] += value
    assert model.decision_function(test) == pytest.approx(scores)
    assert np.array_equal(model.predict(test), scores.argmax(axis=1))
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert model.predict_proba(test) == pytest.approx(shares)


def test_the_score_is_that_of_the_network_s_binary_head(wine):
    from qpm_jax.models import BinaryHead

    train, test, known, _ = wine
    model = QPMClassifier(6, 2).fit(train, known)
    head = BinaryHead(model.selected_, model.assignment_, model.mean_, model.std_)
    logits, _ = head(test.astype(np.float32))
    assert model.decision_function(test) == pytest.approx(np.asarray(logits), abs=1e-3)


def test_of_two_classes_the_score_is_the_difference():
    features, labels = blobs(classes=2)
    model = QPMClassifier(4, 2).fit(features, labels)
    scores = model.decision_function(features)
    assert scores.shape == (200,)
    assert np.array_equal(model.predict(features), scores > 0)
    assert model.predict_proba(features)[:, 1] == pytest.approx(
        1 / (1 + np.exp(-scores))
    )


def test_a_feature_that_does_not_vary_divides_by_a_small_number_and_not_by_zero():
    features, labels = blobs()
    features[:, 0] = 7
    model = QPMClassifier(8, 2, forced_in=(0,)).fit(features, labels)
    assert 0 in model.selected_
    assert np.isfinite(model.decision_function(features)).all()


def test_labels_may_be_words(wine):
    train, test, known, held = wine
    names = np.array(["barolo", "grignolino", "barbera"])
    model = QPMClassifier(6, 2).fit(train, names[known])
    assert model.classes_.tolist() == sorted(names)
    assert set(model.predict(test)) <= set(names)
    assert model.score(test, names[held]) > 0.8


def test_settings_steer_the_selection():
    features, labels = blobs()
    bias = np.zeros(8)
    bias[3] = 1e4
    model = QPMClassifier(
        5, [1, 2, 1, 2], forced_in=[0], forced_out=[1], bias=bias, redundancy=False
    ).fit(features, labels)
    assert {0, 3} <= set(model.selected_)
    assert 1 not in model.selected_
    assert model.assignment_.sum(axis=1).tolist() == [1, 2, 1, 2]


def test_a_class_may_lack_a_feature_where_asked_for():
    features, labels = blobs(classes=2, features=4)
    model = QPMClassifier(3, 2, ternary=True, min_classes=1).fit(features, labels)
    assert (model.assignment_ < 0).any()
    normalised = (features - features.mean(axis=0)) / features.std(axis=0)
    scores = normalised[:, model.selected_] @ model.assignment_.T
    difference = scores[:, 1] - scores[:, 0]
    assert model.decision_function(features) == pytest.approx(difference)
    assert model.score(features, labels) > 0.9


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(1), None])
def test_randomness_may_be_given_as_scikit_learn_has_it(random_state):
    model = QPMClassifier(4, 2, random_state=random_state).fit(*blobs())
    assert model.optimal_


def test_no_time_gives_the_plain_first_selection():
    model = QPMClassifier(4, 2, time_limit=0).fit(*blobs())
    assert model.status_ == "time_limit"
    assert not model.optimal_


def test_it_survives_pickle_and_clone(wine):
    train, test, known, _ = wine
    model = QPMClassifier(6, 2).fit(train, known)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(test), model.predict_proba(test))
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "selected_")


def test_it_works_in_pipelines_and_cross_validation(wine):
    train, _, known, _ = wine
    model = make_pipeline(StandardScaler(), QPMClassifier(6, 2))
    assert cross_val_score(model, train, known, cv=3).mean() > 0.75


def test_names_of_columns_are_kept():
    pandas = pytest.importorskip("pandas")
    features, labels = blobs()
    frame = pandas.DataFrame(features, columns=[f"f{i}" for i in range(8)])
    model = QPMClassifier(4, 2).fit(frame, labels)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    assert model.n_features_in_ == 8
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"f0": "other"}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_features": 9}, r"num_features=9, but X has 8 feature\(s\)"),
        ({"num_features": 0}, "num_features is 0"),
        ({"num_features": 2.5}, r"num_features is 2\.5"),
        ({"num_features": "4"}, "num_features is '4'"),
        ({"num_features": 3, "per_class": 3}, "1 different rows for 4 classes"),
        ({"per_class": 5}, "per_class is 5"),
        ({"per_class": [1, 2]}, r"per_class has shape \(2,\)"),
        ({"solver": "abacus"}, "solver is 'abacus'"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"bias": [1.0]}, r"bias has shape \(1,\)"),
        ({"forced_in": [1], "forced_out": [1]}, "both name"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, message):
    model = QPMClassifier(**{"num_features": 4, "per_class": 2, **settings})
    with pytest.raises(ValueError, match=message):
        model.fit(*blobs())


@pytest.mark.parametrize("spoil", ["nan", "short", "one"])
def test_bad_data_are_named(spoil):
    features, labels = blobs()
    if spoil == "nan":
        features[0, 0] = np.nan
    if spoil == "short":
        labels = labels[1:]
    if spoil == "one":
        labels = np.zeros(200)
    messages = {"nan": "NaN", "short": "inconsistent numbers", "one": "1 class"}
    with pytest.raises(ValueError, match=messages[spoil]):
        QPMClassifier(4, 2).fit(features, labels)


@pytest.mark.slow
def test_scikit_learn_is_imported_only_when_it_is_asked_for():
    script = (
        "import sys, qpm_jax; assert 'sklearn' not in sys.modules;"
        "qpm_jax.QPMClassifier; assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert "QPMClassifier" in dir(qpm_jax)

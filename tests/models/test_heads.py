import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from qpm_jax.models import BinaryHead, QPMNetwork

GOLDEN_CASES = [
    "full_stats_indexed",
    "unsorted_selection",
    "std_zero_tiny_negative",
    "selection_is_permutation_of_all",
]


def some_head(**changes):
    arguments = {
        "selected": np.array([1, 3, 4]),
        "assignment": np.array([[1, 1, 0], [0, 1, 1]], bool),
        "mean": np.array([0.5, 1.0, 2.0]),
        "std": np.array([1.0, 2.0, 4.0]),
    }
    return BinaryHead(**(arguments | changes))


def some_features(samples=4, columns=6):
    return np.random.default_rng(0).normal(size=(samples, columns)).astype(np.float32)


@pytest.mark.parametrize("case", GOLDEN_CASES)
def test_it_gives_the_published_logits_and_features(golden, case):
    arrays = golden("bldd_layer")[case]
    selected, mean = arrays["selection"], arrays["mean"]
    features = np.full((len(arrays["input"]), len(mean)), 7.0, np.float32)
    features[:, selected] = arrays["input"]
    head = BinaryHead(selected, arrays["weight"], mean, arrays["std"])
    logits, normalised = head.apply({}, features)
    np.testing.assert_allclose(
        normalised, arrays["scaled_features"], rtol=1e-6, atol=1e-6
    )
    tolerance = 1e-6 * np.abs(arrays["scaled_features"]).max()
    np.testing.assert_allclose(logits, arrays["logits"], rtol=1e-6, atol=tolerance)


def test_it_computes_the_formula_without_a_bias():
    features = some_features()
    logits, normalised = some_head()(features)
    expected = (features[:, [1, 3, 4]] - [0.5, 1.0, 2.0]) / [1.0, 2.0, 4.0]
    np.testing.assert_allclose(normalised, expected, rtol=1e-6)
    np.testing.assert_allclose(
        logits, expected @ np.array([[1, 1, 0], [0, 1, 1]]).T, rtol=1e-5
    )


def test_mean_and_std_of_all_features_are_indexed_by_the_selection():
    mean, std = np.arange(6.0), np.arange(6.0) + 1
    of_all = some_head(mean=mean, std=std)(some_features())
    of_selected = some_head(mean=mean[[1, 3, 4]], std=std[[1, 3, 4]])(some_features())
    np.testing.assert_array_equal(of_all[1], of_selected[1])


def test_a_permutation_of_all_features_uses_mean_and_std_as_they_are():
    head = BinaryHead([2, 0, 1], np.eye(3), [10.0, 20.0, 30.0], [1.0, 1.0, 1.0])
    _, normalised = head(np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_array_equal(normalised, [[3.0 - 10, 1.0 - 20, 2.0 - 30]])


def test_a_constant_feature_is_divided_by_the_smallest_std():
    features = np.array([[1.0, 1.0]])
    _, normalised = BinaryHead([0, 1], np.eye(2), [0.0, 1.0], [0.0, -1.0])(features)
    np.testing.assert_allclose(normalised, [[1e6, 0.0]])


def test_direct_call_and_apply_agree_and_there_are_no_parameters():
    head, features = some_head(), some_features()
    assert not head.init(jax.random.key(0), features)
    np.testing.assert_array_equal(head(features)[0], head.apply({}, features)[0])


def test_jit_of_apply_works_and_equal_heads_are_one_static_argument():
    features = some_features()
    calls = []

    def run(head, features):
        calls.append(1)
        return head.apply({}, features)

    compiled = jax.jit(run, static_argnums=0)
    first, second = compiled(some_head(), features), compiled(some_head(), features)
    assert len(calls) == 1
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_allclose(
        jax.jit(some_head().apply)({}, features)[0], first[0], rtol=1e-6
    )
    assert some_head() == some_head() != some_head(mean=np.zeros(3))
    assert some_head() != "head"


def test_dropout_falls_on_features_before_normalisation_only_in_training():
    features = np.full((200, 6), 9.0, np.float32)
    _, normalised = some_head(dropout=0.5).apply(
        {}, features, train=True, rngs={"dropout": jax.random.key(1)}
    )
    assert set(np.unique(normalised[:, 0])) == {-0.5, 17.5}
    assert 0.3 < np.mean(np.asarray(normalised)[:, 0] < 0) < 0.7
    assert np.unique(some_head(dropout=0.5)(features)[1][:, 0]) == 8.5


def test_without_dropout_training_needs_no_key():
    features = some_features()
    trained = some_head(dropout=0.0)(features, train=True)
    np.testing.assert_array_equal(trained[0], some_head()(features)[0])


def test_gradients_reach_the_selected_features_and_not_mean_or_std():
    features = jnp.asarray(some_features())

    def score(features, mean, std):
        head = BinaryHead([1, 3, 4], np.ones((1, 3)), mean, std)
        return head(features)[0].sum()

    mean, std = jnp.zeros(3), jnp.array([1.0, 2.0, 4.0])
    gradient = jax.grad(score)(features, mean, std)
    np.testing.assert_allclose(
        gradient, np.broadcast_to([0, 1, 0, 0.5, 0.25, 0], (4, 6))
    )
    assert not np.any(jax.grad(score, argnums=1)(features, mean, std))
    assert not np.any(jax.grad(score, argnums=2)(features, mean, std))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"selected": np.array([0.5, 1.0, 2.0])}, "selected: .*float64"),
        ({"selected": np.array([[0, 1, 2]])}, r"selected: shape \(1, 3\)"),
        ({"selected": np.array([1, 1, 2])}, "selected: negative or repeated"),
        ({"selected": np.array([-1, 1, 2])}, "selected: negative or repeated"),
        ({"assignment": np.ones((2, 4))}, r"assignment: shape \(2, 4\)"),
        ({"mean": np.ones((3, 1))}, r"mean: shape \(3, 1\)"),
        ({"std": np.ones(4)}, r"std: shape \(4,\)"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        some_head(**changes)


def test_features_that_do_not_fit_the_head_are_refused():
    with pytest.raises(ValueError, match=r"features: 4 columns, but .* holds 4"):
        some_head()(some_features(columns=4))
    with pytest.raises(ValueError, match=r"mean: length 5, allowed are 3 .* and 6"):
        some_head(mean=np.ones(5), std=np.ones(5))(some_features())


class PixelBackbone(nn.Module):
    """Each pixel as three times two features."""

    @nn.compact
    def __call__(self, images, train=False):
        scale = self.param("scale", nn.initializers.ones, ())
        return scale * jnp.concatenate([images, 2 * images], axis=-1)


def test_the_network_gives_maps_of_the_selected_features_and_backbone_params_only():
    network = QPMNetwork(backbone=PixelBackbone(), head=some_head())
    images = np.random.default_rng(0).random((2, 4, 5, 3)).astype(np.float32)
    variables = network.init(jax.random.key(0), images)
    assert list(variables["params"]) == ["backbone"]
    logits, normalised, maps = jax.jit(network.apply)(variables, images)
    assert logits.shape == (2, 2)
    np.testing.assert_allclose(
        maps, np.concatenate([images, 2 * images], -1)[..., [1, 3, 4]]
    )
    expected = some_head()(np.concatenate([images, 2 * images], -1).mean((1, 2)))[1]
    np.testing.assert_allclose(normalised, expected, rtol=1e-5, atol=1e-6)

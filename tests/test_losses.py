"""The losses against the published code, by their definitions, and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import losses

FDL_CASES = [
    "signed_maps",
    "binary_5_per_class",
    "all_zero_batch",
    "mixed_sign_means",
    "channel_ties",
    "large_activations",
]

LOSS = jax.jit(losses.feature_diversity_loss)
LOSS_AND_GRADIENTS = jax.jit(
    jax.value_and_grad(losses.feature_diversity_loss, argnums=(0, 1, 2))
)


def published(case):
    """The published NCHW maps and [C,F] weights in this library's layout."""
    maps = jnp.asarray(case["feature_maps"].transpose(0, 2, 3, 1))
    kernel = jnp.asarray(case["weight"].T)
    return maps, jnp.asarray(case["logits"]), kernel, float(case["beta"])


def random_problem(seed, n=3, h=4, w=5, f=6, c=4):
    rng = np.random.default_rng(seed)
    maps = np.maximum(rng.normal(size=(n, h, w, f)), 0).astype(np.float32)
    return (
        maps,
        rng.normal(size=(n, c)).astype(np.float32),
        rng.normal(size=(f, c)).astype(np.float32),
    )


def diversity_by_loops(maps, logits, kernel, beta):
    """The definition of docs/formulas.md, one sample and position at a time."""
    total = 0.0
    for sample, scores in zip(maps.astype(np.float64), logits, strict=True):
        w = np.abs(kernel[:, scores.argmax()].astype(np.float64))
        w = w / (np.linalg.norm(w) + 1e-5)
        g = sample.mean((0, 1)) / max(sample.mean((0, 1)).max(), 1e-6)
        s = np.exp(sample - sample.max((0, 1)))
        s /= s.sum((0, 1))
        for row in range(sample.shape[0]):
            for column in range(sample.shape[1]):
                total += max(s[row, column] * g * w)
    return -beta * total / len(maps)


def test_every_published_diversity_case_is_tested(golden):
    assert sorted(golden("fdl").cases) == sorted(FDL_CASES)


@pytest.mark.parametrize("name", FDL_CASES)
def test_diversity_loss_and_gradients_agree_with_the_published_code(golden, name):
    case = golden("fdl")[name]
    loss, (of_maps, of_logits, of_kernel) = LOSS_AND_GRADIENTS(*published(case))
    np.testing.assert_allclose(loss, case["loss"], rtol=1.2e-6)
    np.testing.assert_array_equal(of_logits, 0.0)
    for got, expected in (
        (of_maps.transpose(0, 3, 1, 2), case["grad_feature_maps"]),
        (of_kernel.T, case["grad_weight"]),
    ):
        scale = max(float(np.abs(expected).max()), 1e-6)
        # The published float32 gradients are themselves up to 2e-5 of their largest
        # entry away from float64 (`large_activations`).
        np.testing.assert_allclose(got, expected, rtol=1.2e-5, atol=3e-5 * scale)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_diversity_loss_equals_its_definition_written_as_loops(seed):
    maps, logits, kernel = random_problem(seed)
    np.testing.assert_allclose(
        LOSS(maps, logits, kernel, 0.5),
        diversity_by_loops(maps, logits, kernel, 0.5),
        rtol=1e-5,
    )


def test_features_that_look_at_different_places_lower_the_loss():
    apart = np.zeros((1, 2, 2, 2), np.float32)
    apart[0, 0, 0, 0] = apart[0, 1, 1, 1] = 9.0
    together = np.zeros((1, 2, 2, 2), np.float32)
    together[0, 0, 0, :] = 9.0
    logits, kernel = np.zeros((1, 1), np.float32), np.ones((2, 1), np.float32)
    assert LOSS(apart, logits, kernel) < LOSS(together, logits, kernel)


def test_diversity_loss_follows_the_prediction_and_not_the_order_of_samples():
    maps, logits, kernel = random_problem(1)
    forward = LOSS(maps, logits, kernel)
    np.testing.assert_allclose(
        LOSS(maps[::-1], logits[::-1], kernel),
        forward,
        rtol=1e-6,
    )
    other = LOSS(maps, -logits, kernel)
    assert abs(float(other - forward)) > 1e-4


def test_a_class_without_weights_has_loss_and_gradients_zero():
    maps, logits, kernel = random_problem(2)
    value, gradients = LOSS_AND_GRADIENTS(maps, logits, np.zeros_like(kernel), 0.196)
    assert float(value) == 0.0
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_diversity_gradient_agrees_with_finite_differences():
    maps, logits, kernel = random_problem(3)
    gradient = jax.grad(losses.feature_diversity_loss)(
        jnp.asarray(maps), logits, kernel
    )
    index = np.unravel_index(maps.argmax(), maps.shape)
    step = np.zeros_like(maps)
    step[index] = 1e-3
    slope = (
        diversity_by_loops(maps + step, logits, kernel, 0.196)
        - diversity_by_loops(maps - step, logits, kernel, 0.196)
    ) / 2e-3
    np.testing.assert_allclose(gradient[index], slope, rtol=2e-3)


def test_cross_entropy_of_equal_scores_is_the_log_of_the_number_of_classes():
    loss = losses.cross_entropy(np.zeros((3, 7), np.float32), np.array([0, 3, 6]))
    np.testing.assert_allclose(loss, np.log(7), rtol=1e-6)


def test_smoothed_targets_are_a_mixture_with_all_classes_alike():
    logits = np.array([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]], np.float32)
    labels = np.array([0, 1])
    scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = 0.7 * np.eye(3)[labels] + 0.3 / 3
    expected = -(target * scores).sum(axis=1).mean()
    found = losses.cross_entropy(logits, labels, smoothing=0.3)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_counts_valid_samples_only():
    _, logits, _ = random_problem(4)
    labels = np.array([1, 0, 2], np.int32)
    valid = np.array([True, True, False])
    np.testing.assert_allclose(
        losses.cross_entropy(logits, labels, valid),
        losses.cross_entropy(logits[:2], labels[:2]),
        rtol=1e-6,
    )
    assert float(losses.cross_entropy(logits, labels, np.zeros(3, bool))) == 0.0


def test_cross_entropy_stays_finite_for_very_large_scores():
    logits = np.array([[1e4, -1e4]], np.float32)
    assert float(losses.cross_entropy(logits, np.array([1]))) == pytest.approx(2e4)


def test_distillation_is_the_scaled_divergence_from_the_teacher():
    student = np.array([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]], np.float32)
    teacher = np.array([[1.0, 1.0, 0.0], [0.0, 4.0, 1.0]], np.float32)
    target, found = (
        np.exp(each / 4) / np.exp(each / 4).sum(axis=1, keepdims=True)
        for each in (teacher, student)
    )
    expected = 16 * (target * np.log(target / found)).sum(axis=1).mean()
    assert losses.distillation_loss(student, teacher, 4.0) == pytest.approx(expected)
    assert losses.distillation_loss(student, student + 5, 4.0) == pytest.approx(0)


def test_no_gradient_reaches_the_teacher():
    _, logits, _ = random_problem(6)
    gradients = jax.grad(losses.distillation_loss, argnums=(0, 1))(logits, logits[::-1])
    assert np.abs(gradients[0]).max() > 0.01
    assert not gradients[1].any()


def test_wrong_shapes_are_named():
    maps, logits, kernel = random_problem(5)
    with pytest.raises(ValueError, match=r"kernel must be \[F,C\]"):
        losses.feature_diversity_loss(maps, logits, kernel.T)
    with pytest.raises(ValueError, match="feature_maps must be"):
        losses.feature_diversity_loss(maps[0], logits, kernel)
    with pytest.raises(ValueError, match="feature_maps must be"):
        losses.feature_diversity_loss(maps[:0], logits[:0], kernel)
    with pytest.raises(ValueError, match="logits must be"):
        losses.feature_diversity_loss(maps, logits[:2], kernel)
    with pytest.raises(ValueError, match="teacher_logits must both be"):
        losses.distillation_loss(logits, logits[:2])
    with pytest.raises(ValueError, match="labels"):
        losses.cross_entropy(logits, np.zeros(2, np.int32))
    with pytest.raises(ValueError, match="valid must have"):
        losses.cross_entropy(logits, np.zeros(3, np.int32), np.ones(2, bool))

"""Plausibility: published values, exact small cases, masks, streams, bad input."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.plausibility_update)
PLAUSIBILITY_CASES = [
    "relu_binary",
    "zero_maps_empty_and_full_masks",
    "ternary_weights",
    "negative_maps",
]


def problem(seed, n=20, h=3, w=4, f=5, c=3):
    rng = np.random.default_rng(seed)
    maps = np.maximum(rng.normal(size=(n, h, w, f)), 0).astype(np.float32)
    return (
        maps,
        rng.normal(size=(n, c)),
        rng.normal(size=(c, f)),
        rng.random((n, h, w)) < 0.4,
    )


def test_every_published_plausibility_case_is_tested(golden):
    assert sorted(golden("dino_plausibility").cases) == sorted(PLAUSIBILITY_CASES)


@pytest.mark.parametrize("name", PLAUSIBILITY_CASES)
def test_plausibility_agrees_with_the_published_code(golden, name):
    case = golden("dino_plausibility")[name]
    maps = case["feature_maps"].transpose(0, 2, 3, 1)
    for masks, score in (
        (case["gt_masks"], "score_gradcam"),
        (metrics.dilate(case["gt_masks"] > 0), "score_gradcam_dilated"),
    ):
        got = metrics.plausibility(maps, case["logits"], case["weight"], masks)
        np.testing.assert_allclose(got, case[score], rtol=1e-6)
        np.testing.assert_allclose(
            got, case[score.replace("score", "accumulator")], rtol=1e-6
        )


@pytest.mark.parametrize("name", PLAUSIBILITY_CASES)
def test_masks_are_widened_as_published(golden, name):
    case = golden("dino_plausibility")[name]
    widened = metrics.dilate((255 * case["gt_masks"]).astype(np.uint8))
    np.testing.assert_array_equal(widened, case["dilated_masks"])


def test_a_mask_is_widened_by_one_position_on_every_side():
    mask = np.zeros((1, 4, 5), bool)
    mask[0, 0, 3] = True
    expected = np.zeros((1, 4, 5), bool)
    expected[0, :2, 2:5] = True
    np.testing.assert_array_equal(metrics.dilate(mask), expected)


def test_the_share_inside_the_mask_is_counted_above_the_lowest_position():
    maps = np.array([[[[1.0], [3.0]], [[5.0], [1.0]]]])  # above 1: 0, 2, 4, 0
    masks = np.array([[[True, True], [False, False]]])
    got = metrics.plausibility(maps, np.zeros((1, 1)), np.ones((1, 1)), masks)
    assert got == pytest.approx(2 / 6)


def test_half_covered_positions_count_by_half():
    maps = np.array([[[[0.0], [2.0], [2.0]]]])
    masks = np.array([[[1.0, 0.5, 1.0]]])
    got = metrics.plausibility(maps, np.zeros((1, 1)), np.ones((1, 1)), masks)
    assert got == pytest.approx(0.75)


def test_only_the_predicted_classes_features_count():
    maps = np.zeros((1, 1, 3, 2))
    maps[0, 0, 1, 0], maps[0, 0, 2, 1] = 1.0, 1.0
    masks = np.array([[[False, True, False]]])
    weights = np.eye(2)
    inside, outside = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert metrics.plausibility(maps, inside, weights, masks) == pytest.approx(1.0)
    assert metrics.plausibility(maps, outside, weights, masks) == pytest.approx(0.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_mask_and_its_complement_share_all_of_the_activation(seed):
    maps, logits, weights, masks = problem(seed)
    maps += np.random.default_rng(seed).random(maps.shape)  # no constant map
    inside = metrics.plausibility(maps, logits, weights, masks)
    outside = metrics.plausibility(maps, logits, weights, ~masks)
    assert inside + outside == pytest.approx(1.0, abs=1e-5)
    assert 0 <= inside <= 1


def test_masks_of_parts_divide_the_share_of_their_union():
    maps, logits, weights, masks = problem(1)
    left = masks & (np.arange(4) < 2)
    parts = np.stack([left, masks & ~left], axis=-1)
    shares = metrics.part_plausibility(maps, logits, weights, parts)
    assert shares.shape == (2,)
    np.testing.assert_allclose(
        shares.sum(), metrics.plausibility(maps, logits, weights, masks), rtol=1e-5
    )


def test_padded_batches_give_the_same_as_the_whole():
    maps, logits, weights, masks = problem(2)
    state = metrics.plausibility_init()
    for start in range(0, 20, 8):
        rows = np.arange(start, start + 8)
        valid = rows < 20
        rows = np.minimum(rows, 19)
        padded = np.where(valid[:, None, None, None], maps[rows], np.nan)
        state = UPDATE(
            state, padded, logits[rows], weights, masks[rows][..., None], valid
        )
    np.testing.assert_allclose(
        metrics.plausibility_finish(state),
        metrics.plausibility(maps, logits, weights, masks),
        rtol=1e-5,
    )
    assert metrics.plausibility_finish(metrics.plausibility_init(2)).tolist() == [0, 0]


def test_coverage_is_the_share_of_a_positions_pixels():
    masks = np.zeros((1, 4, 6), bool)
    masks[0, 3, 2:4] = True
    expected = np.zeros((1, 2, 3))
    expected[0, 1, 1] = 0.5
    np.testing.assert_array_equal(metrics.coverage_on_map(masks, (2, 3)), expected)
    np.testing.assert_array_equal(metrics.coverage_on_map(masks, (4, 6)), masks)


def test_pixels_on_the_edge_of_two_positions_are_divided():
    mask = np.array([[[False], [True], [False]]])
    got = metrics.coverage_on_map(mask, (2, 1))
    np.testing.assert_allclose(got, [[[1 / 3], [1 / 3]]])


@settings(max_examples=25, deadline=None)
@given(
    pixels=st.integers(1, 9), positions=st.integers(1, 12), seed=st.integers(0, 1000)
)
def test_no_resolution_loses_or_gains_area(pixels, positions, seed):
    masks = np.random.default_rng(seed).random((2, pixels, pixels + 1)) < 0.4
    got = metrics.coverage_on_map(masks, (positions, positions))
    assert got.shape == (2, positions, positions)
    np.testing.assert_allclose(got.mean(axis=(1, 2)), masks.mean(axis=(1, 2)))


def test_plausibility_refuses_bad_input_by_name():
    maps, logits, weights, masks = problem(3)
    with pytest.raises(ValueError, match=r"masks must have the samples and positions"):
        metrics.plausibility(maps, logits, weights, masks[:, :2])
    with pytest.raises(ValueError, match=r"masks must lie in \[0,1\]"):
        metrics.plausibility(maps, logits, weights, 255.0 * masks)
    with pytest.raises(ValueError, match="logits must have the 20 samples"):
        metrics.plausibility(maps, logits[:2], weights, masks)
    with pytest.raises(ValueError, match="weights must be"):
        metrics.plausibility(maps, logits, weights.T, masks)
    with pytest.raises(ValueError, match=r"masks must be \[N,h,w\]"):
        metrics.coverage_on_map(masks[0], (2, 2))
    with pytest.raises(ValueError, match="size must be"):
        metrics.coverage_on_map(masks, (0, 2))

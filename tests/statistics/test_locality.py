"""b: published values, the deviations from published slips, streams and odd data."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import statistics
from qpm_jax.statistics.locality import largest_cluster, locality_means

UPDATE = jax.jit(statistics.locality_update)
MAP_CASES = [
    "N128_exact_batches",
    "N150_last_batch_22_bug",
    "zero_channel_zero_samples_nan",
    "non_square_maps_7x4",
]
CLIP_CASES = [
    "ro_gauss",
    "ro_outlier_other_sign_below",
    "ro_two_equal_clusters",
    "ro_scale_1",
]


def published_maps(case):
    return case["feature_maps"].transpose(0, 2, 3, 1)


def stream(maps, batch=64):
    state = statistics.locality_init(maps.shape[-1])
    for start in range(0, len(maps), batch):
        part = maps[start : start + batch]
        missing = batch - len(part)
        padding = ((0, missing), (0, 0), (0, 0), (0, 0))
        state = UPDATE(
            state,
            np.pad(part, padding, constant_values=np.nan),
            np.arange(batch) < len(part),
        )
    return state


def means_by_loops(maps, shares_of=None):
    """loc and edge of docs/formulas.md, map by map; `shares_of` misaligns shares."""
    num, height, width, num_features = maps.shape
    shares_of = np.arange(num) if shares_of is None else shares_of
    activation = maps.astype(np.float64).mean((1, 2))
    loc, edge = np.zeros(num_features), np.zeros(num_features)
    for i in range(num):
        for f in range(num_features):
            raw = maps[i, :, :, f].astype(np.float64)
            soft = np.exp(raw - raw.max())
            row, column = np.unravel_index(raw.argmax(), raw.shape)
            border = row in (0, height - 1) or column in (0, width - 1)
            j = shares_of[i]
            loc[f] += soft.max() / soft.sum() * activation[j, f] / activation[j].sum()
            edge[f] -= border * activation[i, f] / activation[i].sum()
    return loc / num, edge / num


def random_maps(seed, n=20, h=4, w=3, f=7):
    rng = np.random.default_rng(seed)
    return np.maximum(rng.normal(size=(n, h, w, f)), 0).astype(np.float32)


def test_every_published_locality_case_is_tested(golden):
    assert sorted(golden("locality_bias").cases) == sorted(MAP_CASES + CLIP_CASES)


def test_bias_agrees_with_the_published_code_on_full_batches(golden):
    case = golden("locality_bias")["N128_exact_batches"]
    maps = published_maps(case)
    loc, edge = locality_means(stream(maps))
    np.testing.assert_allclose(loc, case["average_softmax"], rtol=1e-5)
    np.testing.assert_allclose(edge * 128, case["edge_mask"], rtol=1e-5)
    np.testing.assert_allclose(statistics.locality_bias(maps), case["b"], atol=1e-5)


def test_shares_stay_with_their_sample_in_a_last_partial_batch(golden):
    case = golden("locality_bias")["N150_last_batch_22_bug"]
    maps = published_maps(case)
    loc, edge = locality_means(stream(maps))
    expected_loc, expected_edge = means_by_loops(maps)
    np.testing.assert_allclose(loc, expected_loc, rtol=2e-6)
    np.testing.assert_allclose(edge, expected_edge, rtol=2e-6)
    np.testing.assert_allclose(edge * 150, case["edge_mask"], rtol=1.2e-4)
    # The published average takes, for samples 128.., the shares of samples 44.. .
    slip = np.r_[np.arange(128), 2 * 22 + np.arange(22)]
    as_published, _ = means_by_loops(maps, shares_of=slip)
    np.testing.assert_allclose(as_published, case["average_softmax"], rtol=1e-5)
    assert np.abs(loc / case["average_softmax"] - 1).max() > 1e-3


def test_a_sample_that_activates_nothing_has_no_share_where_published_is_nan(golden):
    case = golden("locality_bias")["zero_channel_zero_samples_nan"]
    assert np.isnan(case["average_softmax"]).all()
    maps = published_maps(case)
    silent = maps.sum((1, 2, 3)) == 0
    assert silent.any()
    loc, edge = locality_means(stream(maps))
    expected_loc, expected_edge = means_by_loops(maps[~silent])
    np.testing.assert_allclose(loc, expected_loc * (~silent).mean(), rtol=2e-6)
    np.testing.assert_allclose(edge, expected_edge * (~silent).mean(), rtol=2e-6)
    assert np.isfinite(statistics.locality_bias(maps)).all()


def test_the_border_is_the_true_one_where_published_uses_the_height_twice(golden):
    case = golden("locality_bias")["non_square_maps_7x4"]
    maps = published_maps(case)
    loc, edge = locality_means(stream(maps))
    expected_loc, expected_edge = means_by_loops(maps)
    np.testing.assert_allclose(loc, case["average_softmax"], rtol=1e-5)
    np.testing.assert_allclose(loc, expected_loc, rtol=2e-6)
    np.testing.assert_allclose(edge, expected_edge, rtol=2e-6)
    # Column 3 of 4 is the border; published takes it for an inner column of 7.
    assert np.abs(edge * len(maps) / case["edge_mask"] - 1).max() > 0.05


@pytest.mark.parametrize("name", CLIP_CASES)
def test_clip_and_scale_agrees_with_the_published_code(golden, name):
    case = golden("locality_bias")[name]
    values = case["values"].astype(np.float64)
    scale = 1.0 if name == "ro_scale_1" else np.sqrt(10) * 0.1
    np.testing.assert_allclose(largest_cluster(values), (case["lo"], case["hi"]))
    np.testing.assert_allclose(
        statistics.clip_and_scale(values, scale), case["out"], atol=3e-7
    )


@pytest.mark.parametrize("name", ["N128_exact_batches", "non_square_maps_7x4"])
def test_bias_follows_from_the_published_means(golden, name):
    case = golden("locality_bias")[name]
    loc = statistics.clip_and_scale(case["average_softmax"])
    mask = statistics.clip_and_scale(case["edge_mask"])
    # The published float32 loses digits where it subtracts the mean.
    np.testing.assert_allclose(loc, case["normed_loc"], atol=5e-6)
    np.testing.assert_allclose(mask, case["normed_mask"], atol=5e-6)
    loc, mask = case["normed_loc"], case["normed_mask"]
    bias = statistics.clip_and_scale(np.where(mask >= 0, loc, loc.min()))
    np.testing.assert_allclose(bias, case["b"], atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_streaming_gives_the_definition_written_as_loops(seed):
    maps = random_maps(seed)
    for got, expected in zip(
        locality_means(stream(maps, batch=8)), means_by_loops(maps), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_whole_maps_and_a_stream_of_batches_give_the_same_bias():
    maps = random_maps(1, n=70)
    np.testing.assert_allclose(
        statistics.locality_bias(maps),
        statistics.locality_finish(stream(maps, batch=16)),
        atol=1e-6,
    )


@settings(max_examples=10, deadline=None)
@given(values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=10))
def test_clip_and_scale_is_centred_and_bounded_by_its_scale(values):
    got = statistics.clip_and_scale(np.array(values), scale=0.5)
    assert abs(got.mean()) < 1e-9
    assert np.isclose(np.abs(got).max(), 0.5) or not got.any()


def test_equal_values_give_bias_zero_where_published_is_nan():
    np.testing.assert_array_equal(statistics.clip_and_scale(np.full(5, 0.3)), 0.0)
    maps = np.repeat(random_maps(2, f=1), 5, axis=-1)
    np.testing.assert_array_equal(statistics.locality_bias(maps), 0.0)
    np.testing.assert_array_equal(statistics.locality_bias(np.zeros((3, 2, 2, 4))), 0.0)


def test_features_that_peak_on_the_border_most_often_get_the_worst_bias():
    rng = np.random.default_rng(0)
    often = np.r_[np.linspace(0.05, 0.4, 20), np.full(4, 0.95)]
    maps = np.full((200, 7, 7, 24), 0.1, np.float32)
    samples, features = np.indices((200, 24))
    on_border = rng.random((200, 24)) < often
    column = np.where(on_border, 0, rng.integers(1, 6, (200, 24)))
    maps[samples, 3, column, features] += rng.uniform(2, 3, 24).astype(np.float32)
    bias = statistics.locality_bias(maps)
    np.testing.assert_array_equal(bias[20:], bias.min())
    assert np.median(bias[:10]) > bias.min()


def test_maps_of_one_position_are_all_border():
    _, edge = locality_means(stream(random_maps(3, h=1, w=1) + 0.1))
    np.testing.assert_allclose(edge.sum(), -1.0, rtol=1e-6)


def test_locality_refuses_bad_input_by_name():
    with pytest.raises(ValueError, match=r"feature_maps must be \[N,H,W,F\]"):
        statistics.locality_bias(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="feature_maps holds NaN"):
        statistics.locality_bias(np.full((1, 2, 2, 3), np.nan))
    with pytest.raises(ValueError, match="values must be"):
        statistics.clip_and_scale(np.zeros(0))
    with pytest.raises(ValueError, match="no sample"):
        statistics.locality_finish(statistics.locality_init(3))

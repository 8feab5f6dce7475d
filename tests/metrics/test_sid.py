"""SID@k: published values, the definition by loops, streams, and bad input."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import metrics

UPDATE = jax.jit(metrics.sid_update, static_argnames="k")
SID_CASES = [
    "binary5_relu",
    "dense_weights",
    "mixed_counts_and_zero_class",
    "ternary_negative_weights",
    "tiny_activation_clamp",
]


def published(case):
    return case["feature_maps"].transpose(0, 2, 3, 1), case["logits"], case["weight"]


def random_problem(seed, n=12, h=3, w=4, f=9, c=4):
    rng = np.random.default_rng(seed)
    maps = np.maximum(rng.normal(size=(n, h, w, f)), 0).astype(np.float32)
    weights = rng.normal(size=(c, f)) * (rng.random((c, f)) < 0.7)
    return maps, rng.normal(size=(n, c)).astype(np.float32), weights.astype(np.float32)


def sid_by_loops(maps, logits, weights, k):
    values = []
    for sample, scores in zip(maps.astype(np.float64), logits, strict=True):
        row = weights[scores.argmax()]
        if np.count_nonzero(row) < k:
            continue
        chosen = sample[:, :, np.argsort(-row, kind="stable")[:k]]
        chosen = chosen / np.maximum(np.abs(chosen).mean((0, 1)), 1e-5)
        soft = np.exp(chosen - chosen.max((0, 1)))
        soft /= soft.sum((0, 1))
        values.append(soft.max(axis=-1).sum() / k)
    return np.mean(values) if values else 0.0


def test_every_published_sid_case_is_tested(golden):
    assert sorted(golden("sid").cases) == sorted(SID_CASES)


@pytest.mark.parametrize("name", SID_CASES)
def test_sid_at_5_agrees_with_the_published_code(golden, name):
    case = golden("sid")[name]
    maps, logits, weights = published(case)
    untied = ~case["top5_tie"]
    np.testing.assert_allclose(
        metrics.sid_at_k(maps[untied], logits[untied], weights),
        case["sid5_over_untied"],
        rtol=2e-6,
    )
    if untied.all():
        np.testing.assert_allclose(
            metrics.sid_at_k(maps, logits, weights), case["sid5"], rtol=2e-6
        )
    state = UPDATE(metrics.sid_init(), maps, logits, weights)
    assert int(state.counted) == case["counted_at_k5"].sum()


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_sid_at_fewer_features_agrees_where_weights_differ(golden, k):
    case = golden("sid")["dense_weights"]
    got = metrics.sid_at_k(*published(case), k=k)
    np.testing.assert_allclose(got, case["local_array"][k - 1], rtol=2e-6)
    np.testing.assert_allclose(got, case[f"per_sample_k{k}"].mean(), rtol=2e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_sid_equals_its_definition_written_as_loops(seed):
    problem = random_problem(seed)
    np.testing.assert_allclose(
        metrics.sid_at_k(*problem, k=5), sid_by_loops(*problem, k=5), rtol=1e-5
    )


def test_batches_with_padding_give_the_same_as_the_whole():
    maps, logits, weights = random_problem(1, n=20)
    state = metrics.sid_init()
    for start in range(0, 20, 8):
        missing = max(0, start + 8 - 20)
        padding = ((0, missing), (0, 0), (0, 0), (0, 0))
        state = UPDATE(
            state,
            np.pad(maps[start : start + 8], padding, constant_values=np.nan),
            np.pad(logits[start : start + 8], padding[:2]),
            weights,
            k=5,
            valid=np.arange(8) < 8 - missing,
        )
    np.testing.assert_allclose(
        metrics.sid_finish(state), metrics.sid_at_k(maps, logits, weights), rtol=1e-6
    )


def test_the_scale_of_a_map_does_not_matter():
    maps, logits, weights = random_problem(2)
    maps += 0.01
    scales = np.geomspace(1e-1, 1e3, maps.shape[-1]).astype(np.float32)
    np.testing.assert_allclose(
        metrics.sid_at_k(maps * scales, logits, weights),
        metrics.sid_at_k(maps, logits, weights),
        rtol=1e-4,
    )


def test_equal_maps_give_one_over_k_and_separate_peaks_almost_one():
    logits, weights = np.zeros((1, 1)), np.ones((1, 3))
    same = np.ones((1, 4, 4, 3))
    assert metrics.sid_at_k(same, logits, weights, k=3) == pytest.approx(1 / 3)
    apart = np.zeros((1, 4, 4, 3))
    apart[0, [0, 1, 2], [0, 1, 2], [0, 1, 2]] = 1.0
    assert metrics.sid_at_k(apart, logits, weights, k=3) > 0.99


def test_no_class_with_k_weights_gives_zero():
    maps, logits, _ = random_problem(3)
    assert metrics.sid_at_k(maps, logits, np.eye(4, 9), k=2) == 0.0
    assert metrics.sid_finish(metrics.sid_init()) == 0.0


def test_sid_refuses_bad_input_by_name():
    maps, logits, weights = random_problem(4)
    with pytest.raises(ValueError, match=r"feature_maps must be \[N,H,W,F\]"):
        metrics.sid_at_k(maps[0], logits, weights)
    with pytest.raises(ValueError, match="feature_maps holds NaN"):
        metrics.sid_at_k(maps * np.nan, logits, weights)
    with pytest.raises(ValueError, match="logits must have the 12 samples"):
        metrics.sid_at_k(maps, logits[:3], weights)
    with pytest.raises(ValueError, match=r"weights must be \[C,F\] = \(4, 9\)"):
        metrics.sid_at_k(maps, logits, weights.T)
    with pytest.raises(ValueError, match="k must be a whole number of at least 1"):
        metrics.sid_at_k(maps, logits, weights, k=0)
    with pytest.raises(ValueError, match="k must be at most the 9 features"):
        metrics.sid_at_k(maps, logits, weights, k=10)

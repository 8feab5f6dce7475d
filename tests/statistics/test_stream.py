"""One pass over batches gives every statistic."""

import jax
import numpy as np
import pytest

from qpm_jax import statistics

UPDATE = jax.jit(statistics.update)


def data(n=50, h=3, w=4, f=8, c=4):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, c, n).astype(np.int32)
    maps = np.maximum(rng.normal(size=(n, h, w, f)), 0)
    maps += (labels[:, None] == np.arange(f))[:, None, None, :]
    return maps.astype(np.float32), labels


def one_pass(maps, labels, batch=16):
    state = statistics.init(maps.shape[-1], 4)
    for start in range(0, len(maps), batch):
        part = maps[start : start + batch]
        missing = batch - len(part)
        part = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0)))
        state = UPDATE(
            state,
            part.mean((1, 2)),
            part,
            np.pad(labels[start : start + batch], (0, missing)),
            np.arange(batch) < batch - missing,
        )
    return state


def test_one_pass_gives_what_the_functions_of_whole_arrays_give():
    maps, labels = data()
    got = statistics.finish(one_pass(maps, labels))
    features = maps.mean((1, 2))
    similarity = statistics.class_similarity(features, labels, 4)
    mean, std = statistics.feature_moments(features)
    np.testing.assert_allclose(got.similarity, similarity, atol=1e-6)
    np.testing.assert_allclose(
        got.redundancy, statistics.feature_redundancy(similarity), atol=2e-6
    )
    np.testing.assert_allclose(got.bias, statistics.locality_bias(maps), atol=1e-5)
    np.testing.assert_allclose(got.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(got.std, std, rtol=1e-6)


def test_the_state_is_small_and_its_shapes_never_change():
    maps, labels = data()
    before = jax.tree.map(np.shape, statistics.init(8, 4))
    assert jax.tree.map(np.shape, one_pass(maps, labels)) == before
    assert sum(np.prod(shape) for shape in jax.tree.leaves(before)) < 8 * 4 * 4


def test_all_results_are_float64():
    result = statistics.finish(one_pass(*data()))
    assert {array.dtype for array in vars(result).values()} == {np.dtype(np.float64)}


def test_features_of_a_diverged_network_are_refused():
    maps, labels = data()
    with pytest.raises(ValueError, match="features hold NaN"):
        statistics.finish(one_pass(maps * np.nan, labels))

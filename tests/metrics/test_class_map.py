"""Class maps: the weighted sum of the maps, whose mean is the class's score."""

import numpy as np

from qpm_jax import metrics


def test_a_class_map_is_the_weighted_sum_of_the_maps():
    rng = np.random.default_rng(0)
    maps, weights = rng.random((3, 2, 4, 5)), rng.normal(size=(6, 5))
    got = np.asarray(metrics.class_map(maps, weights, np.array([5, 0, 2])))
    for sample, label in enumerate((5, 0, 2)):
        np.testing.assert_allclose(
            got[sample], maps[sample] @ weights[label], rtol=1e-5
        )


def test_its_mean_is_the_score_of_a_linear_head():
    rng = np.random.default_rng(1)
    maps, weights = rng.random((3, 4, 4, 5)), rng.normal(size=(6, 5))
    logits = maps.mean(axis=(1, 2)) @ weights.T
    got = metrics.class_map(maps, weights, logits.argmax(axis=1))
    np.testing.assert_allclose(np.mean(got, axis=(1, 2)), logits.max(axis=1), rtol=1e-5)

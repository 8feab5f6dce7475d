"""One pass a split: the streamed figures are those of the samples held whole."""

from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np
import pytest

from qpm_jax import metrics
from qpm_jax.datasets import Split
from qpm_jax.phases import passes, perturb, truth
from qpm_jax.phases.forward import stream
from qpm_jax.phases.setting import prepare


class Whole(NamedTuple):
    logits: np.ndarray
    features: np.ndarray
    maps: np.ndarray
    labels: np.ndarray


@pytest.fixture(scope="module")
def setting(tmp_path_factory, dataset):
    """A network that has learned nothing, and a data set that knows its parts."""
    from qpm_jax.config import default

    config = default()
    config.num_features, config.per_class = 8, 3
    config.evaluation_batch_size = 16
    random = np.random.default_rng(0)

    def with_masks(split):
        masks = random.random((len(split), 2, 16, 16)) < 0.3
        return Split(split.images, split.labels, masks)

    marked = replace(
        dataset,
        train=with_masks(dataset.train),
        test=with_masks(dataset.test),
        part_names=("head", "foot"),
        class_attributes=np.array([[1, 0], [0, 1], [1, 1], [0, 0]], float),
        attribute_names=("head: red", "foot: blue"),
    )
    return prepare(config, tmp_path_factory.mktemp("runs"), marked)


@pytest.fixture(scope="module")
def model(setting):
    variables = setting.initial_variables()
    weights = np.asarray(variables["params"]["head"]["kernel"]).T
    # Channels as a QPM has them: its confusions are explained.
    channels = np.arange(weights.shape[1])
    return passes.Model(setting.network, variables, weights, weights, channels)


def whole(setting, model, split):
    """All outputs of a split at once."""
    parts = []
    for outputs in stream(setting, model.network, model.variables, split, ""):
        valid = outputs.batch["valid"]
        arrays = (outputs.logits, outputs.features, outputs.maps)
        rows = [np.asarray(array)[valid] for array in arrays]
        parts.append([*rows, outputs.batch["label"][valid]])
    return Whole(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def test_the_training_pass_gives_the_metrics_of_the_whole(setting, model):
    split = setting.dataset.train
    outputs = whole(setting, model, split)
    features, labels = outputs.features, outputs.labels
    got = passes.over_training(setting, model)
    np.testing.assert_allclose(got.features, features, rtol=1e-5)
    attributes = truth.image_attributes(setting.dataset, split)
    for name, expected in {
        "class_independence": metrics.class_independence(features, labels, 4),
        "correlation": metrics.correlation(features),
        "dependence": metrics.dependence(features, outputs.logits, model.weights),
        "lifts": metrics.attribute_lifts(features, attributes),
    }.items():
        np.testing.assert_allclose(getattr(got, name), expected, atol=2e-4)
    np.testing.assert_allclose(
        got.class_means[1], features[labels == 1].mean(axis=0), rtol=1e-4
    )


def test_the_test_pass_gives_the_metrics_of_the_whole(setting, model):
    split = setting.dataset.test
    outputs = whole(setting, model, split)
    logits, maps, weights = outputs.logits, outputs.maps, model.weights
    got = passes.over_test(setting, model)
    assert got.accuracy == metrics.accuracy(logits, outputs.labels)
    expected = metrics.sid_at_k(maps, logits, weights)
    assert got.sid_at_5 == pytest.approx(expected, rel=1e-5)
    masks = truth.masks_on_maps(
        split, np.arange(len(split)), (16, 16), "stretch", maps.shape[1:3]
    )
    expected = metrics.part_plausibility(maps, logits, weights, masks)
    np.testing.assert_allclose(got.plausibility, expected, rtol=1e-4)
    np.testing.assert_allclose(got.coverage, masks.mean(axis=(0, 1, 2)), rtol=1e-6)
    explained = metrics.confusions(outputs.features, logits, outputs.labels, weights)
    assert [(c.true, c.predicted, c.count) for c in got.confusions] == [
        (c.true, c.predicted, c.count) for c in explained
    ]
    np.testing.assert_allclose(
        got.confusions[0].contributions, explained[0].contributions, atol=1e-4
    )


def test_what_is_not_defined_is_none(setting, model, dataset):
    bare = replace(setting, dataset=dataset)
    weights = np.zeros_like(model.weights)
    weights[:, :3] = 1.0
    few = model._replace(weights=weights, channels=None)
    assert passes.over_training(bare, few).lifts is None
    got = passes.over_test(bare, few)
    assert got.sid_at_5 is None  # three features are too few for it
    assert got.plausibility is None
    assert got.coverage is None
    assert got.confusions == ()


def test_the_curves_begin_at_the_models_own_probability(setting, model):
    logits = whole(setting, model, setting.dataset.test).logits
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    sure = (1 / exponents.sum(axis=1)).mean()
    # Twenty test images, in two batches of sixteen.
    assert perturb.number(setting) == 20
    curves = perturb.run(setting, model)
    assert curves.deletion[0] == pytest.approx(sure, rel=1e-4)
    assert curves.insertion[-1] == pytest.approx(sure, rel=1e-4)
    assert curves.random[0] == pytest.approx(sure, rel=1e-4)
    assert curves.deletion[-1] == pytest.approx(curves.insertion[0], rel=1e-4)
    assert len(curves.deletion) == perturb.STEPS + 1


@pytest.mark.parametrize(
    "measured", [passes.over_training, passes.over_test, perturb.run]
)
def test_every_program_is_compiled_once(setting, model, monkeypatch, measured):
    """Also for the first batch, before which no program has left anything."""
    compile_, programs = jax.jit, []

    def jit(function, **options):
        # Programs of one function share what is compiled, also with other tests.
        def own(*arguments, **named):
            return function(*arguments, **named)

        programs.append(compile_(own, **options))
        return programs[-1]

    monkeypatch.setattr(jax, "jit", jit)
    measured(setting, model)
    assert [program._cache_size() for program in programs] == [1] * len(programs)
    assert len(programs) >= 2

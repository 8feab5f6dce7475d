import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qpm_jax import models


@pytest.fixture(scope="module")
def small(random_variables):
    """A resnet_small for three classes, its variables and two images."""
    module = models.create("resnet_small", 3)
    images = np.random.default_rng(1).normal(size=(2, 32, 32, 3)).astype(np.float32)
    return module, random_variables(module, images.shape), images


def test_names_are_sorted_and_each_has_a_specification():
    assert list(models.names()) == sorted(models.names())
    for name in models.names():
        found = models.specification(name)
        assert found.name == name
        assert found.num_features >= 192


def test_a_network_gives_logits_features_and_non_negative_maps(small):
    module, variables, images = small
    logits, features, maps = jax.jit(module.apply)(variables, images)
    columns = models.specification("resnet_small").num_features
    assert logits.shape == (2, 3)
    assert features.shape == (2, columns)
    assert maps.shape == (2, 4, 4, columns)
    assert maps.min() >= 0
    np.testing.assert_allclose(features, maps.mean((1, 2)), rtol=1e-5, atol=1e-6)
    head = variables["params"]["head"]
    np.testing.assert_allclose(
        logits, features @ head["kernel"] + head["bias"], rtol=1e-4, atol=1e-5
    )


def test_parameters_are_those_of_the_backbone_and_the_head(small):
    _, variables, _ = small
    assert set(variables["params"]) == {"backbone", "head"}
    assert set(variables["batch_stats"]) == {"backbone"}


def test_64_pixels_give_8_by_8_maps_and_reduced_strides_16_by_16():
    images = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)

    def map_shape(reduced_strides):
        module = models.create("resnet_small", 2, reduced_strides=reduced_strides)

        def call(images):
            return module.init_with_output(jax.random.key(0), images)[0]

        return jax.eval_shape(call, images)[2].shape[1:3]

    assert map_shape(False) == (8, 8)
    assert map_shape(True) == (16, 16)


def test_training_draws_dropout_and_updates_the_running_statistics(small):
    module, variables, images = small
    train = jax.jit(
        lambda key: module.apply(
            variables,
            images,
            train=True,
            rngs={"dropout": key},
            mutable=["batch_stats"],
        )
    )
    (first, features, _), updated = train(jax.random.key(0))
    (second, same_features, _), _ = train(jax.random.key(1))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(features, same_features)
    before, after = (
        stats["batch_stats"]["backbone"]["norm"]["mean"]
        for stats in (variables, updated)
    )
    assert not np.allclose(before, after)


def test_a_backbone_of_phase_one_drops_into_the_interpretable_network(small):
    module, variables, images = small
    _, features, maps = jax.jit(module.apply)(variables, images)
    columns = features.shape[1]
    head = models.BinaryHead(
        np.array([5, 2]), np.eye(2, dtype=bool), np.zeros(columns), np.ones(columns)
    )
    network = models.QPMNetwork(backbone=module.backbone, head=head)
    kept = {
        "params": {"backbone": variables["params"]["backbone"]},
        "batch_stats": variables["batch_stats"],
    }
    logits, normalised, selected_maps = jax.jit(network.apply)(kept, images)
    np.testing.assert_allclose(normalised, features[:, [5, 2]], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits, normalised, rtol=1e-5)
    np.testing.assert_allclose(selected_maps, maps[..., [5, 2]], rtol=1e-4, atol=1e-5)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean resnet_small"):
        models.create("resnet_smal", 2)
    with pytest.raises(ValueError, match=r"no model is called 'xyz'.*resnet_small"):
        models.specification("xyz")


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="num_classes: 0"):
        models.create("resnet_small", 0)
    with pytest.raises(ValueError, match=r"dropout: 1\.0"):
        models.create("resnet_small", 2, dropout=1.0)


def test_images_the_stem_cannot_tile_are_refused():
    module = models.create("resnet_small", 2)
    with pytest.raises(ValueError, match="multiples of 2, got 31×32"):
        module.init(jax.random.key(0), jnp.zeros((1, 31, 32, 3)))

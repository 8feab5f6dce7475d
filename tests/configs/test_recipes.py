"""Every recipe of a published row builds, and holds the published figures."""

import importlib

import pytest

from qpm_jax import datasets, models
from qpm_jax.config import from_dict
from qpm_jax.config_keys import flatten
from qpm_jax.datasets.augment import AugmentationPolicy
from qpm_jax.phases import data

ROWS = ("cub_cropped", "cub_whole", "stanford_cars", "traveling_birds", "imagenet")
FINE_GRAINED = ROWS[:4]


def _recipe(name):
    return importlib.import_module(f"configs.{name}").get_config()


@pytest.fixture(params=ROWS)
def recipe(request):
    return _recipe(request.param)


@pytest.fixture(params=FINE_GRAINED)
def fine_grained(request):
    return _recipe(request.param)


def test_every_key_exists_and_every_value_may_stand_there(recipe):
    again = from_dict(recipe.to_dict())
    assert flatten(again) == flatten(recipe)
    data.check_settings(recipe)
    AugmentationPolicy(**recipe.augmentation.to_dict())


def test_the_data_set_knows_its_options(recipe):
    known = datasets.options(recipe.dataset.name)
    assert set(recipe.dataset.options) <= set(known)


@pytest.mark.parametrize("name", ["cub_cropped", "cub_whole"])
def test_fewer_than_the_published_classes_of_birds_are_refused(name, shared):
    recipe = _recipe(name)
    with recipe.unlocked():
        recipe.dataset.options.root = str(shared("data/cub"))
    with pytest.raises(ValueError, match=r"classes must be 1 to 50, .*, got 200"):
        data.load(recipe)


def test_photos_are_decoded_beside_the_training(recipe):
    assert recipe.input.workers > 0


def test_the_network_is_resnet50_with_torchvision_weights(recipe):
    specification = models.specification(recipe.model.name)
    assert (recipe.model.name, specification.num_features) == ("resnet50", 2048)
    assert specification.pretrained
    assert recipe.model.weights == "timm/resnet50.tv_in1k"
    assert recipe.image_size == 224


def test_fine_grained_maps_are_fine_by_reduced_strides(fine_grained):
    assert fine_grained.model.reduced_strides


def test_fifty_features_are_kept_and_five_describe_a_class(recipe):
    assert (recipe.num_features, recipe.per_class) == (50, 5)


def test_the_dense_training_is_the_published_one(fine_grained):
    dense = fine_grained.dense
    assert (dense.optimizer, dense.momentum) == ("sgd", 0.9)
    assert (dense.learning_rate, dense.head_learning_rate) == (0.005, 0.01)
    assert (dense.epochs, dense.decay_factor, dense.decay_epochs) == (150, 0.4, 30)
    assert (dense.weight_decay, dense.diversity, dense.dropout) == (5e-4, 0.196, 0.2)
    assert (dense.warmup_epochs, dense.averaging, dense.label_smoothing) == (0, 0, 0)
    assert fine_grained.batch_size == 16


def test_the_fine_tuning_is_the_published_one(recipe):
    tuned = recipe.finetune
    assert (tuned.optimizer, tuned.momentum) == ("sgd", 0.95)
    assert (tuned.epochs, tuned.decay_factor, tuned.decay_epochs) == (40, 0.4, 10)
    assert (tuned.weight_decay, tuned.diversity, tuned.dropout) == (5e-4, 0.196, 0.1)


def test_the_fine_grained_rate_of_fine_tuning_is_the_published_one(fine_grained):
    assert fine_grained.finetune.learning_rate == 1e-4


def test_fine_grained_photos_are_normalised_by_their_own_colours(fine_grained):
    assert fine_grained.input.normalisation == "dataset"


def test_fine_grained_augmentation_is_the_published_one(fine_grained):
    changes = fine_grained.augmentation
    assert changes.flip
    assert changes.trivial_augment
    assert changes.jitter == 0.1
    assert (changes.rotation, changes.scale, changes.erasing) == (0, 0, 0)


@pytest.mark.parametrize("name", ["cub_cropped", "traveling_birds"])
def test_crops_are_stretched_and_not_cut_again(name):
    recipe = _recipe(name)
    assert recipe.dataset.options.cropped
    assert recipe.fit == "stretch"
    assert (recipe.augmentation.crop, recipe.augmentation.crop_padding) == ("none", 0)


@pytest.mark.parametrize("name", ["cub_whole", "stanford_cars"])
def test_whole_photos_are_cut_at_random_and_centred_for_the_test(name):
    recipe = _recipe(name)
    assert not recipe.dataset.options.get("cropped", False)
    assert recipe.fit == "centre_crop"
    assert (recipe.augmentation.crop, recipe.augmentation.crop_padding) == ("random", 4)


def test_imagenet_takes_the_pretrained_model_and_its_own_augmentation():
    recipe = _recipe("imagenet")
    assert recipe.dense.epochs == 0
    assert recipe.finetune.learning_rate == pytest.approx(1.28e-4)
    assert recipe.batch_size == 64
    assert recipe.fit == "imagenet_crop"
    assert recipe.augmentation.crop == "random_resized"
    assert recipe.augmentation.lighting == 0.05
    assert recipe.augmentation.jitter == 0.1
    assert not recipe.augmentation.trivial_augment
    assert recipe.input.normalisation == "model"


def test_imagenet_keeps_the_strides_its_weights_were_trained_with():
    assert not _recipe("imagenet").model.reduced_strides


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        ("cub", (0.4853, 0.4964, 0.4295), (0.2300, 0.2258, 0.2625)),
        ("traveling_birds", (0.4584, 0.4369, 0.3957), (0.2610, 0.2569, 0.2722)),
        ("stanford_cars", (0.4593, 0.4466, 0.4453), (0.2920, 0.2910, 0.2988)),
        ("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ],
)
def test_the_colours_of_each_set_are_the_published_ones(name, mean, std):
    module = importlib.import_module(f"qpm_jax.datasets.{name}")
    assert (mean, std) == (module.MEAN, module.STD)

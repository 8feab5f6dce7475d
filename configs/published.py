"""QPM's published setting (arXiv 2502.20130), which every file of a table's row shares.

ResNet-50 at 224 pixels with strides reduced to maps of 28×28 (but for ImageNet) and
ImageNet's weights of torchvision (V1); 50 features, 5 a class. Training is
`qpm_jax.config`'s default, the published one. docs/recipes.md has the rows; this file
names no data set and is none.
"""

from ml_collections import ConfigDict

from qpm_jax.config import default

WEIGHTS = "timm/resnet50.tv_in1k"  # torchvision's V1 weights, by their hub id


def get_config(data_set: str, **options: object) -> ConfigDict:
    """Returns the published setting for photos that were cropped to their object.

    Args:
        data_set: name in the catalogue of data sets.
        **options: of that data set.
    """
    config = default()
    config.dataset.name = data_set
    with config.unlocked():
        for name, value in options.items():
            config.dataset.options[name] = value
    config.model.name = "resnet50"
    config.model.weights = WEIGHTS
    config.model.reduced_strides = True
    config.image_size = 224
    config.input.normalisation = "dataset"
    # Crops are stretched to the size, without a shift of their own.
    config.fit = "stretch"
    config.augmentation.crop = "none"
    config.augmentation.crop_padding = 0
    # Photos are decoded by other processes, so that an accelerator does not wait.
    config.input.workers = 4
    # The features of 200 classes are chosen more carefully than the default's seconds.
    config.assign.time_limit = 600.0
    return config


def whole_photos(data_set: str, **options: object) -> ConfigDict:
    """Returns the published setting for whole photos: cut at random to train on.

    Args:
        data_set: name in the catalogue of data sets.
        **options: of that data set.
    """
    config = get_config(data_set, **options)
    config.fit = "centre_crop"
    config.augmentation.crop = "random"
    config.augmentation.crop_padding = 4
    return config

"""A training of seconds on a folder of small images, with a checkpoint every moment."""

from ml_collections import ConfigDict

from qpm_jax.config import default


def get_config() -> ConfigDict:
    """Returns the settings; the folder is given as --config.dataset.options.root."""
    config = default()
    config.dataset.name = "folder"
    config.image_size = 16
    config.num_features = 8
    config.per_class = 3
    config.batch_size = 8
    config.evaluation_batch_size = 16
    config.augmentation.crop_padding = 1
    config.augmentation.trivial_augment = False
    config.dense.epochs = 8
    config.dense.learning_rate = config.dense.head_learning_rate = 0.05
    config.checkpoint_seconds = 0.1
    config.evaluate_epochs = 4
    return config

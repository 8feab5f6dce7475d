"""A run of seconds on a folder of small images, for tests that start real processes."""

from qpm_jax.config import default


def get_config():
    config = default()
    config.dataset.name = "folder"
    with config.unlocked():
        config.dataset.options.root = ""
    config.image_size = 16
    config.num_features = 8
    config.per_class = 3
    config.batch_size = 8
    config.evaluation_batch_size = 16
    config.augmentation.crop_padding = 1
    config.augmentation.trivial_augment = False
    config.dense.epochs = 40
    config.dense.learning_rate = config.dense.head_learning_rate = 0.05
    config.finetune.epochs = 40
    config.finetune.learning_rate = 0.001
    config.assign.time_limit = 60.0
    config.checkpoint_seconds = 0.2
    config.evaluate_epochs = 10
    return config

"""QPM on a folder of your own photos: one folder a class, or train/ and test/ of them.

python -m launch.pipeline --config=configs/folder.py --workdir=runs/mine \
      --config.dataset.options.root=PHOTOS
"""

from ml_collections import ConfigDict

from qpm_jax.config import default


def get_config() -> ConfigDict:
    """Returns the settings of a run on a folder; `root` must be given."""
    config = default()
    config.dataset.name = "folder"
    with config.unlocked():
        config.dataset.options.root = ""
    config.model.name = "resnet_small"
    config.image_size = 64
    config.batch_size = 32
    config.dense.epochs = 60
    config.dense.learning_rate = 0.05
    config.dense.head_learning_rate = 0.05
    config.dense.decay_epochs = 12
    config.dense.warmup_epochs = 1.0
    config.finetune.epochs = 20
    config.finetune.learning_rate = 0.01
    config.finetune.decay_epochs = 4
    return config

"""QPM on the built-in birds: 50 classes, 64 pixels, minutes on two cores.

python -m launch.pipeline --config=configs/birds.py --workdir=runs/birds
"""

from ml_collections import ConfigDict

from qpm_jax.config import default


def get_config() -> ConfigDict:
    """Returns the settings of `make demo`."""
    config = default()
    config.dataset.name = "birds"
    config.model.name = "resnet_small"
    config.batch_size = 64
    config.dense.epochs = 20
    config.dense.learning_rate = 0.1
    config.dense.head_learning_rate = 0.1
    config.dense.decay_epochs = 4
    config.dense.warmup_epochs = 1.0
    config.finetune.epochs = 10
    config.finetune.learning_rate = 0.02
    config.finetune.decay_epochs = 2
    return config

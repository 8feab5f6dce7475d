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
    # The paper takes 50 features for 200 classes; 50 classes are told apart by fewer,
    # and then look-alikes share more of them.
    config.num_features = 30
    config.batch_size = 32
    config.augmentation.trivial_augment = False  # it would take more epochs
    config.dense.epochs = 15
    config.dense.learning_rate = 0.05
    config.dense.head_learning_rate = 0.05
    config.dense.dropout = 0.1
    config.dense.decay_epochs = 4
    config.dense.warmup_epochs = 1.0
    config.finetune.epochs = 9
    config.finetune.diversity = 0.6
    config.finetune.learning_rate = 0.02
    config.finetune.decay_epochs = 3
    # Rounds, not seconds: the same features on every machine.
    config.assign.max_rounds = 10
    config.assign.time_limit = 60.0
    return config

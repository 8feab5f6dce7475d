"""QPM on photos: CUB-200-2011's first 50 classes, cropped, from a bird MobileNetV2.

    python -m launch.pipeline --config=configs/cub50.py --workdir=runs/cub50

The folder QPM_JAX_SHARED names (default ../shared) holds `data/cub` and `data/weights`;
`--config.dataset.options.root` and `--config.model.weights` name other places.
"""

from ml_collections import ConfigDict

from qpm_jax.config import default
from qpm_jax.datasets.shared_folder import shared_folder

SHARED = shared_folder()


def get_config() -> ConfigDict:
    """Returns the settings of the run on cropped photos."""
    config = default()
    config.dataset.name = "cub"
    with config.unlocked():
        config.dataset.options.root = str(SHARED / "data/cub")
        config.dataset.options.classes = 50
        config.dataset.options.cropped = True
    config.model.name = "mobilenet_v2_tf"
    config.model.weights = str(
        SHARED / "data/weights/mobilenet_v2_1.0_224_inat_bird_dequant.npz"
    )
    # Bound by 6, a feature that looks at one place is smaller than most means.
    config.model.unbounded_maps = True
    config.image_size = 224
    config.batch_size = 16
    # 30 images a class: the first blocks stay as iNaturalist's birds made them, and a
    # running mean of the weights is what is kept.
    config.model.frozen = "backbone/(stem|block0[0-5])/"
    # In 6 epochs TrivialAugment costs the dense model a point.
    config.augmentation.trivial_augment = False
    config.augmentation.scale = 0.15
    config.augmentation.rotation = 10.0
    # The folded network has no batch normalisation, so it takes smaller steps.
    config.dense.epochs = 6
    config.dense.learning_rate = 0.0003
    config.dense.head_learning_rate = 0.01
    config.dense.decay_epochs = 2
    config.dense.warmup_epochs = 0.5
    config.dense.averaging = 0.995
    config.dense.label_smoothing = 0.1
    # Adam, as the binary head's gradients are steep. With so few images the dense
    # model's answers gave 0.7 points in one run; the weight of the diversity loss is
    # what makes the few features look apart (SID@5).
    config.finetune.optimizer = "adamw"
    config.finetune.momentum = 0.9
    config.finetune.learning_rate = 0.0002
    config.finetune.weight_decay = 1e-4
    config.finetune.diversity = 0.7
    config.finetune.distillation = 0.7
    config.finetune.epochs = 30
    config.finetune.decay_epochs = 8
    config.finetune.averaging = 0.997
    config.finetune.label_smoothing = 0.1
    config.evaluate_epochs = 2
    return config

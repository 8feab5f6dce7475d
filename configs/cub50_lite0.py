"""QPM on photos: `configs/cub50.py` from ImageNet's EfficientNet-Lite0.

    python -m launch.pipeline --config=configs/cub50_lite0.py --workdir=runs/cub50-lite0

The backbone has seen no more of birds than ImageNet has, so more of it trains. Whole
photos: --config.dataset.options.cropped=False --config.fit=centre_crop
--config.augmentation.crop=random.
"""

from ml_collections import ConfigDict

from configs import cub50


def get_config() -> ConfigDict:
    """Returns the settings of the run on cropped photos."""
    config = cub50.get_config()
    config.model.name = "efficientnet_lite0"
    config.model.weights = str(
        cub50.SHARED / "data/weights/efficientnet_lite0_imagenet.npz"
    )
    config.model.frozen = "backbone/(stem|stem_norm|block0[0-2])/"
    # Batch normalisation bears larger steps than the folded network of birds does.
    config.dense.epochs = 12
    config.dense.learning_rate = 0.003
    config.dense.decay_epochs = 4
    return config

"""QPM on scikit-learn's digits: ten classes, under a minute.

python -m launch.pipeline --config=configs/digits.py --workdir=runs/digits
"""

from ml_collections import ConfigDict

from configs.birds import get_config as birds


def get_config() -> ConfigDict:
    """Returns the settings of a run on digits."""
    config = birds()
    config.dataset.name = "digits"
    config.image_size = 32
    config.num_features = 20
    config.per_class = 5
    config.augmentation.flip = False  # a mirrored 2 is no digit
    config.augmentation.crop_padding = 2
    return config

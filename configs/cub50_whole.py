"""QPM on whole photos: `configs/cub50.py` without its bounding boxes.

    python -m launch.pipeline --config=configs/cub50_whole.py --workdir=runs/cub50-whole

Photos are cut as published for those that are not cropped to their object: resized by
the shorter side, at random in training and in the middle for the test.
"""

from ml_collections import ConfigDict

from configs import cub50


def get_config() -> ConfigDict:
    """Returns the settings of the run on whole photos."""
    config = cub50.get_config()
    config.dataset.options.cropped = False
    config.fit = "centre_crop"
    config.augmentation.crop = "random"
    config.augmentation.crop_padding = 4
    return config

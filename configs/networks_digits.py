"""A convolutional network on scikit-learn's digits, 8×8 pixels: three splits.

python -m launch.networks --config=configs/networks_digits.py --workdir=runs/digits
"""

from ml_collections import ConfigDict

from qpm_jax.networks.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the settings for digits."""
    config = default()
    config.table = "digits"
    config.seeds = (0, 1, 2)
    config.tree.depth = 5  # 3 has 8 leaves for 10 classes
    config.milp.time_limit = 120.0
    return config

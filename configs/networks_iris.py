"""A small network on iris: five splits, width and prices chosen by training folds.

python -m launch.networks --config=configs/networks_iris.py --workdir=runs/networks-iris
"""

from ml_collections import ConfigDict

from qpm_jax.networks.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the settings for iris."""
    config = default()
    config.table = "iris"
    return config

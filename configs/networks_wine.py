"""A small network on wine: five splits, width and prices chosen by training folds.

python -m launch.networks --config=configs/networks_wine.py --workdir=runs/networks-wine
"""

from ml_collections import ConfigDict

from qpm_jax.networks.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the settings for wine."""
    config = default()
    config.table = "wine"
    return config

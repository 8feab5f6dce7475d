"""A small network on wbc: five splits, width and prices chosen by training folds.

python -m launch.networks --config=configs/networks_wbc.py --workdir=runs/networks-wbc
"""

from ml_collections import ConfigDict

from qpm_jax.networks.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the settings for wbc."""
    config = default()
    config.table = "wbc"
    return config

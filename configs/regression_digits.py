"""Binarized regression on scikit-learn's digits: no download, a minute.

python -m launch.regression --config=configs/regression_digits.py --workdir=runs/digits
"""

from ml_collections import ConfigDict

from qpm_jax.regression.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the settings of a short run."""
    config = default()
    config.table.name = "digits"
    config.sizes = (20, 60)
    config.seeds = (0, 1)
    config.alpha = 5.0
    config.beta = 10.0
    config.mip.solver = "native"
    config.mip.time_limit = config.pbo.time_limit = 5.0
    return config

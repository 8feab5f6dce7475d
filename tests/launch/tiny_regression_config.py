"""An experiment of seconds on scikit-learn's digits."""

from qpm_jax.regression.experiments.settings import default


def get_config():
    config = default()
    config.table.name = "digits"
    config.sizes = (10,)
    config.seeds = (0,)
    config.corruptions = (0.0,)
    config.models = ("mip", "logistic")
    config.mip.time_limit = 1.0
    return config

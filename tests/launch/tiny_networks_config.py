"""A networks experiment that takes seconds."""

from ml_collections import ConfigDict

from qpm_jax.networks.experiments.settings import default


def get_config() -> ConfigDict:
    config = default()
    config.seeds = (0,)
    config.models = ("milp", "logistic")
    config.choice.widths = (4,)
    config.choice.l1 = (0.01,)
    config.choice.l2 = (0.0,)
    config.choice.splits = 1
    config.milp.time_limit = 0.5
    return config

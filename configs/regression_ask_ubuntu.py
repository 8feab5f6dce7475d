"""Binarized regression on AskUbuntu: three training sizes, draws of the training part.

python -m launch.regression --config=configs/regression_ask_ubuntu.py \
    --workdir=runs/ask_ubuntu
"""

from ml_collections import ConfigDict

from qpm_jax.regression.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the published settings for AskUbuntu."""
    config = default()
    config.table.name = "ask_ubuntu"
    config.table.draw_from = "official_train"
    config.sizes = (10, 23, 43)
    return config

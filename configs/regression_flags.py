"""Binarized regression on Flags: the four training sizes of the paper, five draws.

python -m launch.regression --config=configs/regression_flags.py --workdir=runs/flags
"""

from ml_collections import ConfigDict

from qpm_jax.regression.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the published settings for Flags."""
    return default()

"""Binarized regression on MNIST: the eight training sizes of the paper, five draws.

python -m launch.regression --config=configs/regression_mnist.py --workdir=runs/mnist

Five minutes a solver and draw at most, so up to 13 hours for everything; choose sizes
by --config.sizes="(20, 60)".
"""

from ml_collections import ConfigDict

from qpm_jax.regression.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the published settings for MNIST, with the native solver."""
    config = default()
    config.table.name = "mnist"
    config.sizes = (20, 60, 100, 200, 300, 500, 700, 1000)
    config.alpha = 5.0
    config.beta = 10.0
    config.mip.solver = "native"
    return config

"""A convolutional network on 1,000 MNIST images, three draws, 10,000 test images.

Two 3×3 filters with same padding and 2×2 max-pooling: 1.57 million ReLU binaries. With
--config.conv.side=14 --config.conv.training_images=100 it is smaller.

python -m launch.networks --config=configs/networks_mnist.py --workdir=runs/mnist
"""

from ml_collections import ConfigDict

from qpm_jax.networks.experiments.settings import default


def get_config() -> ConfigDict:
    """Returns the settings for MNIST."""
    config = default()
    config.table = "mnist"
    config.seeds = (0, 1, 2)
    config.tree.depth = 5  # 3 has 8 leaves for 10 classes
    config.milp.time_limit = 600.0
    config.conv.training_images = 1000
    return config

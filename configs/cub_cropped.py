"""CUB-200-2011 cropped to its bounding boxes, the paper's main table.

python -m launch.pipeline --config=configs/cub_cropped.py --workdir=runs/cub

`--config.dataset.options.root=CUB_200_2011` says where it is, docs/recipes.md the rest.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row; seeds 0 to 4 give its mean."""
    return published.get_config("cub", cropped=True)

"""TravelingBirds, CUB's birds before other backgrounds, cropped to their boxes.

python -m launch.pipeline --config=configs/traveling_birds.py --workdir=runs/traveling

`--config.dataset.options.root` and `.cub_root` say where it and CUB's lists are,
docs/recipes.md the rest.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row; `root` and `cub_root` must be given."""
    return published.get_config("traveling_birds", cropped=True)

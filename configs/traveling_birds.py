"""TravelingBirds, CUB's birds before other backgrounds, cropped to their boxes.

    python -m launch.sweep --config=configs/traveling_birds.py \
        --workdir=runs/traveling --seeds=0,1,2,3,4 \
        --config.dataset.options.root=TravelingBirds \
        --config.dataset.options.cub_root=CUB_200_2011

docs/datasets.md says what lies in the two folders, docs/recipes.md the rest.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row; `root` and `cub_root` must be given."""
    return published.get_config("traveling_birds", cropped=True)

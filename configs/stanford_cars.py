"""Stanford Cars, never cropped.

python -m launch.pipeline --config=configs/stanford_cars.py --workdir=runs/cars

`--config.dataset.options.root=stanford_cars` says where, docs/recipes.md the rest.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row; seeds 0 to 4 give its mean."""
    return published.whole_photos("stanford_cars")

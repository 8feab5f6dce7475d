"""Stanford Cars, never cropped.

    python -m launch.sweep --config=configs/stanford_cars.py --workdir=runs/cars \
        --seeds=0,1,2,3,4 --config.dataset.options.root=stanford_cars

docs/results.md has the published figures, docs/datasets.md what lies in the folder.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row; seeds 0 to 4 give its mean."""
    return published.whole_photos("stanford_cars")

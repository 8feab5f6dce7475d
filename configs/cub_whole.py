"""CUB-200-2011 as whole photos, the published table without crops.

    python -m launch.sweep --config=configs/cub_whole.py --workdir=runs/cub-whole \
        --seeds=0,1,2,3,4 --config.dataset.options.root=CUB_200_2011

docs/results.md has the published figures, docs/datasets.md what lies in the folder.
"""

from ml_collections import ConfigDict

from configs import published


def get_config() -> ConfigDict:
    """Returns the settings of the row; seeds 0 to 4 give its mean."""
    return published.whole_photos("cub", classes=200, cropped=False)

"""QPM's published figures, to stand beside a run's own: ResNet50 at 224 px."""

from typing import NamedTuple

from ml_collections import ConfigDict


class Figures(NamedTuple):
    """What was published of a data set.

    Attributes:
      values: By the names of `metric_table.METRICS`; {} where nothing is known.
      setting: Of what they are, a line for people.
    """

    values: dict[str, float | None]
    setting: str


_COMPACT = {"features": 50.0, "features_per_class": 5.0}
_NETWORK = "published: QPM with a ResNet50 at 224 px on all {} classes"
# arXiv 2604.07166 has rows of QPM that its own paper is not known to have.
_CITED = f"{_NETWORK}, as arXiv 2604.07166 cites it"

# arXiv 2502.20130, means over seeds.
_CUB_CROPPED = Figures(
    {
        **_COMPACT,
        "accuracy": 0.851,
        "sid_at_5": 0.901,
        "class_independence": 0.970,
        "contrastiveness": 0.960,
        "structural_grounding": 0.479,
    },
    _NETWORK.format(200),
)
_CUB_WHOLE = Figures(
    {
        **_COMPACT,
        "accuracy": 0.829,
        "sid_at_5": 0.896,
        "class_independence": 0.968,
        "contrastiveness": 0.936,
    },
    _CITED.format(200),
)
_CARS = Figures(
    {
        **_COMPACT,
        "accuracy": 0.921,
        "sid_at_5": 0.882,
        "class_independence": 0.978,
        "contrastiveness": 0.971,
    },
    _CITED.format(196),
)
# What the authors measured of the checkpoint they publish.
_IMAGENET = Figures(
    {
        **_COMPACT,
        "accuracy": 0.7431,
        "sid_at_5": 0.7516,
        "class_independence": 0.9924,
        "contrastiveness": 0.8802,
        "correlation": 0.1239,
    },
    f"{_NETWORK.format(1000)}, the authors' checkpoint",
)


def published(config: ConfigDict) -> Figures:
    """Returns what was published of QPM on the data set of the settings."""
    name = config.dataset.name
    if name in ("cub", "cub50"):
        cropped = config.dataset.options.get("cropped", True)
        return _CUB_CROPPED if cropped else _CUB_WHOLE
    known = {"stanford_cars": _CARS, "imagenet": _IMAGENET}
    return known.get(name, Figures({}, ""))

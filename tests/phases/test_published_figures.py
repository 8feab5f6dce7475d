"""The published figures are those of the setting at hand."""

import pytest

from qpm_jax.config import default
from qpm_jax.phases.metric_table import METRICS
from qpm_jax.phases.published_figures import published


def settings(name, **options):
    config = default()
    config.dataset.name = name
    with config.dataset.options.unlocked():
        config.dataset.options.update(options)
    return config


@pytest.mark.parametrize(
    ("name", "options", "accuracy", "words"),
    [
        ("cub", {}, 0.851, "all 200 classes"),
        ("cub50", {}, 0.851, "all 200 classes"),
        ("cub", {"cropped": False}, 0.829, "as arXiv 2604.07166 cites it"),
        ("stanford_cars", {}, 0.921, "all 196 classes, as arXiv 2604.07166 cites it"),
        ("imagenet", {}, 0.7431, "all 1000 classes, the authors' checkpoint"),
    ],
)
def test_each_published_row_is_of_its_data_set(name, options, accuracy, words):
    values, setting = published(settings(name, **options))
    assert values["accuracy"] == accuracy
    assert set(values) <= set(METRICS)
    assert setting.startswith("published: QPM with a ResNet50 at 224 px")
    assert setting.endswith(words)


def test_of_other_data_sets_nothing_is_published():
    assert published(settings("digits")) == ({}, "")

"""Names that are offered for one that is not known."""

import pytest

from qpm_jax import datasets, models
from qpm_jax.nearest_names import did_you_mean, nearest


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("resnet_smal", "resnet_small"),
        ("RESNET50", "resnet50"),
        ("ResNet-50", "resnet50"),
        ("resnet17", "resnet18"),
        ("vit_small_patch14_dinov2", "vit_s_14_dinov2"),
        ("swin_tiny_patch4_window7_224", "swin_t"),
        ("convnext_tiny", "convnext_t"),
        ("mobilenet", "mobilenet_v2"),
    ],
)
def test_networks_are_found_by_the_names_others_give_them(asked, meant):
    assert meant in nearest(asked, models.names())


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("CUB", "cub"),
        ("cub_200_2011", "cub"),
        ("cars", "stanford_cars"),
        ("cars196", "stanford_cars"),
        ("aircraft", "fgvc_aircraft"),
        ("ImageNet1k", "imagenet"),
        ("digit", "digits"),
    ],
)
def test_data_sets_are_found_by_the_names_others_give_them(asked, meant):
    assert nearest(asked, datasets.names())[0] == meant


def test_the_nearest_come_first_and_few_of_them():
    found = nearest("resnet5", models.names())
    assert found[0] == "resnet50"
    assert len(found) == 3


@pytest.mark.parametrize("asked", ["xyz", "", 7, "vgg"])
def test_a_name_like_no_other_finds_none(asked):
    assert nearest(asked, models.names()) == []
    assert did_you_mean(asked, models.names()) == ""


def test_no_names_are_near_where_there_are_none():
    assert nearest("cub", ()) == []

"""State dicts of the wrong architecture are told whose they are."""

import numpy as np
import pytest

from qpm_jax import models
from qpm_jax.models.conversion import shapes_in_file
from qpm_jax.models.namings import TORCH
from qpm_jax.models.recognise import fits


def empty_state(name, table=0):
    shapes = shapes_in_file(name, TORCH[name][table].sources(), 3)
    zero = np.float32(0)
    return {key: np.broadcast_to(zero, shape) for key, shape in shapes.items()}


@pytest.mark.parametrize(
    ("asked", "given", "table"),
    [
        ("resnet18", "resnet34", 0),
        ("resnet50", "resnet18", 0),
        ("resnet34", "swin_s", 1),
        ("swin_t", "swin_s", 0),
        ("vit_s_14_dinov2", "vit_b_14_dinov2", 0),
        ("swin_t", "convnext_t", 0),
    ],
)
def test_the_right_name_is_offered(asked, given, table):
    match = f"do not fit '{asked}'; nearest are {given} \\(100%\\)"
    with pytest.raises(ValueError, match=match):
        models.from_torch_state_dict(asked, empty_state(given, table))


def test_the_right_model_with_a_key_too_many_gets_no_other_name():
    state = dict(empty_state("resnet18"), extra=np.zeros(2))
    with pytest.raises(ValueError, match=r"do not fit 'resnet18':\n  unknown: extra$"):
        models.from_torch_state_dict("resnet18", state)


def test_every_missing_and_every_extra_key_is_listed():
    state = empty_state("resnet18")
    del state["bn1.weight"], state["layer4.1.conv2.weight"]
    state |= {"extra.one": np.zeros(1), "extra.two": np.zeros(1)}
    with pytest.raises(ValueError, match="do not fit") as caught:
        models.from_torch_state_dict("resnet18", state)
    lines = str(caught.value).splitlines()[1:]
    assert lines == [
        "  missing: bn1.weight (64,)",
        "  missing: layer4.1.conv2.weight (512, 512, 3, 3)",
        "  unknown: extra.one",
        "  unknown: extra.two",
    ]


def test_foreign_arrays_fit_nothing():
    assert fits({"a": np.zeros(2)}) == {}
    with pytest.raises(ValueError, match=r"do not fit 'resnet18':"):
        models.from_torch_state_dict("resnet18", {"a": np.zeros(2)})

"""Flax backbones, the dense and the binary head, and pretrained weights."""

from qpm_jax.models.catalogue import (
    ModelSpecification,
    check_options,
    create,
    names,
    specification,
)
from qpm_jax.models.classifier import Classifier
from qpm_jax.models.heads import BinaryHead, QPMNetwork
from qpm_jax.models.rectified_head import RectifiedHead
from qpm_jax.models.weights import (
    backbone_from_torch_state_dict,
    find_weights,
    from_torch_state_dict,
    load_weights,
    to_torch_state_dict,
    transfer,
)

__all__ = [
    "BinaryHead",
    "Classifier",
    "ModelSpecification",
    "QPMNetwork",
    "RectifiedHead",
    "backbone_from_torch_state_dict",
    "check_options",
    "create",
    "find_weights",
    "from_torch_state_dict",
    "load_weights",
    "names",
    "specification",
    "to_torch_state_dict",
    "transfer",
]

"""Flax backbones, the dense and the binary head, and pretrained weights."""

from qpm_jax.models.catalogue import ModelSpecification, create, names, specification
from qpm_jax.models.classifier import Classifier
from qpm_jax.models.heads import BinaryHead, QPMNetwork
from qpm_jax.models.weights import from_torch_state_dict, load_weights, transfer

__all__ = [
    "BinaryHead",
    "Classifier",
    "ModelSpecification",
    "QPMNetwork",
    "create",
    "from_torch_state_dict",
    "load_weights",
    "names",
    "specification",
    "transfer",
]

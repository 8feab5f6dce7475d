"""Trained networks leave for other tools, and the authors' own come in."""

from qpm_jax.export.folder import from_folder, save_folder
from qpm_jax.export.published import from_published, to_published
from qpm_jax.export.stablehlo import save_stablehlo, serialise
from qpm_jax.export.torch_file import save_torch

__all__ = [
    "from_folder",
    "from_published",
    "save_folder",
    "save_stablehlo",
    "save_torch",
    "serialise",
    "to_published",
]

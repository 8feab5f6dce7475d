"""A trained run as a file that `torch.load` reads, in the authors' names."""

import io
import warnings
from pathlib import Path

from qpm_jax import files
from qpm_jax.export.published import to_published
from qpm_jax.models.namings import TORCH
from qpm_jax.phases import workdir as folders
from qpm_jax.run import Run


def save_torch(run: Run, path: str | Path) -> None:
    """Writes the state dict of a run's network as PyTorch's own file.

    A state dict says nothing of strides and bounds: there is a warning where PyTorch's
    network would need another activation.

    Args:
      run: a finished run; its backbone must exist in PyTorch.
      path: the .pt or .pth file to write.

    Raises:
      ValueError: where PyTorch is not installed or does not have the backbone.
    """
    model = folders.read_config(run.workdir).model
    name = model.name
    if name not in TORCH:
        raise ValueError(
            f"to: {name!r} does not exist in PyTorch, only {', '.join(sorted(TORCH))};"
            " allowed for this run are safetensors and stablehlo"
        )
    try:
        import torch
    except ImportError as error:
        raise ValueError(
            "to: a PyTorch file is written by PyTorch, which is not installed (pip"
            " install torch); safetensors holds the same arrays and needs nothing"
        ) from error
    if model.unbounded_maps:
        warnings.warn(
            f"The maps of this run go beyond 6, those of PyTorch's {name} do not, and a"
            " state dict does not say so: replace its last ReLU6 by a ReLU, or read it"
            " with from_published(..., unbounded_maps=True).",
            stacklevel=2,
        )
    arrays = to_published(name, run.network.head, run.variables)
    content = io.BytesIO()
    torch.save({key: torch.tensor(array) for key, array in arrays.items()}, content)
    files.write_bytes(path, content.getvalue())

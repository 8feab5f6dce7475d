"""Where an exported run comes from: its photos and the weights it began with."""

from pathlib import Path

from ml_collections import ConfigDict

from qpm_jax import datasets
from qpm_jax.models import hub
from qpm_jax.phases import inputs
from qpm_jax.phases import workdir as folders
from qpm_jax.run import Run


def dataset_name(run: Run) -> str:
    """Returns what the images are called that the run was trained on.

    The settings name other ones where the images came from Python.
    """
    return inputs.read(run.workdir).dataset or _settings(run).name


def cropped(run: Run) -> bool | None:
    """Returns whether the photos were cut to their bounding boxes beforehand.

    None where that is not known: of images that came from Python, and of data sets
    without such an option.
    """
    settings = _settings(run)
    if dataset_name(run) != settings.name or settings.name not in datasets.names():
        return None
    default = datasets.options(settings.name).get("cropped")
    return settings.options.get("cropped", default)


def pretrained(model: ConfigDict) -> str | None:
    """Returns the id on the hub, or the file's name and checksum; None from scratch."""
    if not model.weights:
        return None
    name = model.weights
    if not hub.is_hub_id(name):
        name = Path(name).name  # not where it lay
    checksum = model.weights_sha256
    return f"{name} (SHA-256 {checksum})" if checksum else name


def _settings(run: Run) -> ConfigDict:
    return folders.read_config(run.workdir).dataset

"""A trained run as a folder to hand on: arrays, what they mean, and a model card.

model.safetensors   every array, in the names `published` describes
config.json         backbone, strides, classes, what the input has to be, origin
README.md           the model card
"""

from pathlib import Path
from typing import Any

from qpm_jax import files, models
from qpm_jax.export.model_card import model_card
from qpm_jax.export.origin import cropped, dataset_name, pretrained
from qpm_jax.export.published import from_published, to_published
from qpm_jax.models.conversion import Variables
from qpm_jax.models.weight_files import read_arrays
from qpm_jax.phases import workdir as folders
from qpm_jax.run import Run
from qpm_jax.version import __version__

ARRAYS = "model.safetensors"
_CONFIG, _CARD = "config.json", "README.md"
_ARCHITECTURE = "qpm"  # what tells an export's config.json from others


def save_folder(run: Run, folder: str | Path) -> None:
    """Writes the folder; nothing but this package's base installation is needed.

    Args:
      run: a finished run.
      folder: where to write; made where absent.

    Raises:
      ValueError: it holds a config.json or README.md that no export wrote, such as a
        run's own folder.
    """
    import safetensors.numpy

    folder = Path(folder)
    _check_place(folder)
    config = folders.read_config(run.workdir)
    arrays = to_published(config.model.name, run.network.head, run.variables)
    content = safetensors.numpy.save(arrays, {"format": "pt"})
    files.write_bytes(folder / ARRAYS, content)
    files.write_json(folder / _CONFIG, describe(run))
    files.write_text(folder / _CARD, model_card(run))


def _check_place(folder: Path) -> None:
    """Raises ValueError where something else would be overwritten."""
    there = [name for name in (_CONFIG, _CARD) if (folder / name).exists()]
    if there and not _is_export(folder):
        raise ValueError(
            f"{folder} is not an export, and its {' and '.join(there)} would be "
            "overwritten; give a new or an empty folder."
        )


def _is_export(folder: Path) -> bool:
    try:
        description = files.read_json(folder / _CONFIG)
    except ValueError:
        return False
    return (
        isinstance(description, dict)
        and description.get("architecture") == _ARCHITECTURE
    )


def describe(run: Run) -> dict[str, Any]:
    """Returns what the arrays do not say of themselves."""
    config = folders.read_config(run.workdir)
    return {
        "architecture": _ARCHITECTURE,
        "backbone": config.model.name,
        "reduced_strides": config.model.reduced_strides,
        "unbounded_maps": config.model.unbounded_maps,
        "class_names": list(run.class_names),
        "feature_names": list(run.feature_names),
        "image_size": list(run.image_size),
        "fit": run.fit,
        "cropped": cropped(run),
        "mean": list(run.input_mean),
        "std": list(run.input_std),
        "dataset": dataset_name(run),
        "pretrained": pretrained(config.model),
        "qpm_jax": __version__,
    }


def from_folder(
    folder: str | Path,
) -> tuple[models.QPMNetwork, Variables, dict[str, Any]]:
    """Reads what `save_folder` wrote.

    Args:
      folder: the folder, as written or as fetched from a hub.

    Returns:
      The network, its variables, and what config.json says.

    Raises:
      ValueError: where a file is missing or damaged, or no export wrote them.
    """
    folder = Path(folder)
    description = files.read_json(folder / _CONFIG)
    if not _is_export(folder):
        raise ValueError(
            f"{folder} is no export of qpm_jax, by its {_CONFIG}; give a folder that"
            " launch.export --to=safetensors wrote"
        )
    network, variables = from_published(
        description["backbone"],
        read_arrays(folder / ARRAYS),
        reduced_strides=description["reduced_strides"],
        # Folders of earlier versions do not say.
        unbounded_maps=description.get("unbounded_maps", False),
    )
    return network, variables, description

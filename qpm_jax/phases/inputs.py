"""What a trained network expects of an image and calls its classes: `inputs.json`.

It is all that using a run needs to know of the data set the run was trained on.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from qpm_jax import files
from qpm_jax.datasets.image_files import Fit
from qpm_jax.distributed import by_first
from qpm_jax.phases.workdir import holds_work

Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Inputs:
    """The network's side of an image.

    Attributes:
      class_names: C names in the order of the labels.
      image_size: (height, width) in pixels.
      mean: Channel means the input is normalised with, images in [0, 1].
      std: Channel standard deviations of the same.
      fit: How other sizes are brought to that one; see `datasets.resize`.
      training_images: How many there are.
      test_images: How many there are.
      dataset: What the images are called; "" in runs of older versions.
    """

    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    mean: Channels
    std: Channels
    fit: Fit = "stretch"
    training_images: int = 0
    test_images: int = 0
    dataset: str = ""


@by_first
def write(workdir: Path, inputs: Inputs) -> None:
    """Writes `inputs.json`, or checks it against what the run began with.

    Raises:
      ValueError: Dense training has used other classes or images; they are named.
    """
    # Without dense training everything after it is made again.
    if not holds_work(workdir, "dense") or not _path(workdir).exists():
        files.write_json(_path(workdir), asdict(inputs))
        return
    before = read(workdir)
    if not before.dataset:  # unknown, so no reason to refuse
        before = replace(before, dataset=inputs.dataset)
    if before == inputs:
        return
    known, now = before.class_names, inputs.class_names
    if known == now:
        changed = [
            f"{name}: {old} -> {getattr(inputs, name)}"
            for name, old in asdict(before).items()
            if name != "class_names" and old != getattr(inputs, name)
        ]
        raise ValueError(
            f"The data set is not the one the run in {workdir} began with "
            f"({'; '.join(changed)}). Restore it, or take another --workdir."
        )
    missing = [name for name in known if name not in now]
    extra = [name for name in now if name not in known]
    raise ValueError(
        f"The data set's classes are not those the run in {workdir} began with: "
        f"missing {missing[:10]}, new {extra[:10]}"
        f"{'' if missing or extra else ', the order has changed'}. Restore the data "
        "set, or take another --workdir."
    )


def read(workdir: Path) -> Inputs:
    """Returns what `write` wrote.

    Raises:
      ValueError: The file is missing or damaged.
    """
    if not _path(workdir).exists():
        raise ValueError(f"{workdir} has no inputs.json; run its phases again.")
    values = files.read_json(_path(workdir))
    return Inputs(
        class_names=tuple(values["class_names"]),
        image_size=tuple(values["image_size"]),
        mean=tuple(values["mean"]),
        std=tuple(values["std"]),
        fit=values["fit"],
        training_images=values["training_images"],
        test_images=values["test_images"],
        dataset=values.get("dataset", ""),
    )


def _path(workdir: Path) -> Path:
    return workdir / "inputs.json"

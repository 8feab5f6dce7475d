"""Measures a QPM or CHiQPM that lies in a file, such as the authors', on any data set.

No phase has to be done: the file takes the place of all of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float
from ml_collections import ConfigDict

from qpm_jax import distributed, files, models
from qpm_jax.datasets import Dataset
from qpm_jax.export.published import from_published
from qpm_jax.phases import evaluate, metric_table, published_figures, truth
from qpm_jax.phases.metric_table import Values
from qpm_jax.phases.passes import Model
from qpm_jax.phases.setting import prepare

HEADS = {"qpm": models.BinaryHead, "chiqpm": models.RectifiedHead}


def run(
    config: ConfigDict,
    workdir: str | Path,
    state: Mapping[str, ArrayLike],
    head: str = "qpm",
    *,
    normalised: bool = True,
    dataset: Dataset | None = None,
    class_similarity: Float[np.ndarray, "C C"] | None = None,
) -> dict[str, Values]:
    """Writes and returns the metrics of the network, beside the published ones.

    They go to `metrics.json` and `details.json` in the work directory.

    Args:
      config: The data set, the backbone, its options and the size of the photos.
      workdir: Where to write.
      state: Key -> array, see `qpm_jax.export.from_published`.
      head: Which of the two systems it is, a key of `HEADS`.
      normalised: Whether the network takes colours as `config.input.normalisation`
        says, or x/255 as they are.
      dataset: The data set where it is loaded already.
      class_similarity: As for `qpm_jax.phases.evaluate.run`.

    Returns:
      `qpm` and `published`, each by the names of `metric_table.METRICS`; `dense` has
      no values.

    Raises:
      ValueError: A setting is impossible, the state is no such network, or it has
        another number of classes than the data set.
    """
    if head not in HEADS:
        raise ValueError(f"head is {head!r}; it takes {', '.join(HEADS)}.")
    config = config.copy_and_resolve_references()
    # The file has all that a pretrained backbone would begin with.
    config.model.weights = config.model.weights_sha256 = ""
    setting = prepare(config, workdir, dataset)
    if not normalised:
        setting = replace(setting, mean=(0.0,) * 3, std=(1.0,) * 3)
    similarity = truth.class_similarity(setting.dataset, class_similarity)
    model = _model(config, state, head)
    _check_classes(model, setting.dataset)
    values, behind = evaluate.measure(setting, model, similarity)
    result = metric_table.filled(
        {"qpm": values, "published": published_figures.published(config).values}
    )
    folder, details = setting.workdir, {"qpm": behind}
    distributed.once(lambda: files.write_json(folder / "details.json", details))
    distributed.once(lambda: files.write_json(folder / "metrics.json", result))
    return result


def _model(config: ConfigDict, state: Mapping[str, ArrayLike], head: str) -> Model:
    network, variables = from_published(
        config.model.name,
        state,
        reduced_strides=config.model.reduced_strides,
        head=HEADS[head],
        unbounded_maps=config.model.unbounded_maps,
    )
    weights = np.asarray(network.head.assignment, np.float32)
    std = np.maximum(np.asarray(network.head.std), models.heads.SMALLEST_STD)
    selected = np.asarray(network.head.selected)
    return Model(network, variables, weights, weights / std, selected)


def _check_classes(model: Model, dataset: Dataset) -> None:
    """Raises ValueError where the network tells other classes apart."""
    if len(model.weights) != dataset.num_classes:
        raise ValueError(
            f"the network in the file has {len(model.weights)} classes, the data set "
            f"{dataset.name!r} {dataset.num_classes}; give the one it was trained on."
        )

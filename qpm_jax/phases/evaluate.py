"""Phase 5: the metrics of the dense model and of QPM, side by side.

Feature metrics use the training images with the test-time transform; accuracy, SID,
plausibility and confusions use the test images, all of them. Each split is read once
(`passes`); contrastiveness fits mixtures to the features afterwards, and deletion and
insertion run the network again on some test images (`perturb`).
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from ml_collections import ConfigDict

from qpm_jax import distributed, files, metrics
from qpm_jax.datasets import Dataset
from qpm_jax.metrics.monosemanticity import (
    NEIGHBOURS,
    global_values,
    local_values,
    mean_value,
)
from qpm_jax.models.heads import SMALLEST_STD
from qpm_jax.phases import (
    assign,
    dense,
    details,
    finetune,
    perturb,
    published_figures,
    truth,
)
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.metric_table import (
    METRICS,
    PAPER,
    Metric,
    Values,
    filled,
    format_metric,
    table,
)
from qpm_jax.phases.passes import (
    SID_FEATURES,
    HeldOutFigures,
    Model,
    TrainingFigures,
    over_test,
    over_training,
)
from qpm_jax.phases.setting import Setting, prepare
from qpm_jax.phases.statistics import read_statistics
from qpm_jax.training.agreement import leave_if_asked

__all__ = [
    "METRICS",
    "PAPER",
    "Metric",
    "format_metric",
    "measure",
    "read_details",
    "read_metrics",
    "run",
    "table",
]


def run(
    config: ConfigDict,
    workdir: str | Path,
    dataset: Dataset | None = None,
    class_similarity: Float[np.ndarray, "C C"] | None = None,
) -> None:
    """Writes `evaluate/metrics.json` and, behind its values, `evaluate/details.json`.

    Args:
      config: Every setting.
      workdir: Where the run lies; needs the phases up to `finetune`.
      dataset: The data set where it is loaded already.
      class_similarity: How alike the classes are in truth, for structural grounding and
        monosemanticity; from the data set's class attributes where None.

    Raises:
      ValueError: An earlier phase is missing or a setting is impossible.
    """
    setting = prepare(config, workdir, dataset)
    similarity = truth.class_similarity(setting.dataset, class_similarity)
    folders.begin(setting.workdir, "evaluate")
    started = time.monotonic()
    values, behind = {"published": published_figures.published(config).values}, {}
    for name, model in (("dense", _dense), ("qpm", _qpm)):
        values[name], behind[name] = measure(setting, model(setting), similarity)
    folder = setting.workdir / "evaluate"
    distributed.once(lambda: files.write_json(folder / "details.json", behind))
    distributed.once(lambda: files.write_json(folder / "metrics.json", filled(values)))
    seconds = time.monotonic() - started
    folders.mark_done(setting.workdir, "evaluate", seconds, setting.mesh.size)


def read_metrics(workdir: Path) -> dict[str, Values]:
    """Returns what the phase wrote: `dense`, `qpm` and `published`.

    A metric that is not defined, or that the run is too old for, is None.

    Raises:
      ValueError: The phase is not done or its file is damaged.
    """
    folders.require(workdir, "evaluate")
    return filled(files.read_json(workdir / "evaluate" / "metrics.json"))


def read_details(workdir: Path) -> dict[str, dict[str, Any]]:
    """Returns what is behind the metrics of `dense` and `qpm`; {} in older runs.

    For each model `faithfulness` with its curves and `plausibility` by mask; for QPM
    also `features`, by channel, and the `confusions` with the features that led there.

    Raises:
      ValueError: The phase is not done or its file is damaged.
    """
    folders.require(workdir, "evaluate")
    path = workdir / "evaluate" / "details.json"
    return files.read_json(path) if path.exists() else {}


def _dense(setting: Setting) -> Model:
    variables = dense.final_variables(setting)
    weights = np.asarray(variables["params"]["head"]["kernel"]).T
    return Model(setting.network, variables, weights, weights)


def _qpm(setting: Setting) -> Model:
    network, kernel = finetune.qpm_network(
        setting.workdir, setting.network.backbone, setting.config.finetune.dropout
    )
    variables = finetune.final_variables(
        setting.workdir,
        network,
        setting.image_size,
        distributed.replicated(setting.mesh),
    )
    weights = np.asarray(kernel).T
    selected, _ = assign.read_assignment(setting.workdir)
    std = np.maximum(read_statistics(setting.workdir).std[selected], SMALLEST_STD)
    return Model(network, variables, weights, weights / std, selected)


def measure(
    setting: Setting,
    model: Model,
    similarity: Float[np.ndarray, "C C"] | None,
) -> tuple[Values, dict[str, Any]]:
    """Returns every metric of one model, None where not defined, and its details.

    Args:
      setting: The run's surroundings.
      model: What to measure.
      similarity: How alike the classes are in truth, where that is known.
    """
    train = over_training(setting, model)
    test = over_test(setting, model)
    faithful = perturb.run(setting, model)
    meanings = _meanings(model, train, similarity)
    used = model.weights != 0
    seed = setting.config.seed
    values: Values = {
        "accuracy": test.accuracy,
        "features": int(used.any(axis=0).sum()),
        "features_per_class": float(used.sum(axis=1).mean()),
        "sid_at_5": test.sid_at_5,
        "class_independence": train.class_independence,
        "contrastiveness": metrics.contrastiveness(
            train.features, seed, leave_if_asked
        ),
        "structural_grounding": _grounding(model, similarity),
        "correlation": train.correlation,
        "dependence": train.dependence,
        "alignment": _alignment(train),
        "plausibility": _plausibility(test),
        "deletion": faithful.deletion_area,
        "insertion": faithful.insertion_area,
        **{name: mean_value(by_feature) for name, by_feature in meanings.items()},
    }
    behind: dict[str, Any] = {
        "faithfulness": details.of_curves(faithful, perturb.number(setting)),
        "plausibility": details.of_masks(setting.dataset, test),
    }
    if model.channels is not None:
        about = setting.dataset, model.channels
        behind["features"] = details.of_features(*about, meanings, train.lifts)
        behind["confusions"] = details.of_confusions(*about, test.confusions)
    return values, behind


def _grounding(
    model: Model, similarity: Float[np.ndarray, "C C"] | None
) -> float | None:
    if similarity is None:
        return None
    return metrics.structural_grounding(model.weights, similarity)


def _alignment(train: TrainingFigures) -> float | None:
    return None if train.lifts is None else metrics.mean_alignment(train.lifts)


def _plausibility(test: HeldOutFigures) -> float | None:
    """Returns the share on the object; what the parts get is among the details."""
    return None if test.plausibility is None else float(test.plausibility[0])


def _meanings(
    model: Model, train: TrainingFigures, similarity: Float[np.ndarray, "C C"] | None
) -> dict[str, Float[np.ndarray, " F"]]:
    """Returns the monosemanticity of each feature; NaN where it is not defined."""
    means = train.class_means
    undefined = np.full(means.shape[1], np.nan)
    if similarity is None:
        return {"monosemanticity": undefined, "local_monosemanticity": undefined}
    neighbours = min(NEIGHBOURS, len(means) - 1)
    explained = metrics.top_features(model.weights, SID_FEATURES)
    local = (
        local_values(means, similarity, explained, neighbours)
        if neighbours >= 2
        else undefined
    )
    return {
        "monosemanticity": global_values(means, similarity),
        "local_monosemanticity": local,
    }

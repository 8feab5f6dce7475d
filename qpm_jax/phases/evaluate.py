"""Phase 5: the metrics of the dense model and of QPM, side by side.

Feature metrics use the training images with the test-time transform; accuracy and SID
use the test images, all of them (QPM, evaluation section).
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float
from ml_collections import ConfigDict

from qpm_jax import files, metrics
from qpm_jax.datasets import Dataset
from qpm_jax.phases import dense, finetune
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.forward import stream
from qpm_jax.phases.setting import Setting, prepare


class Metric(NamedTuple):
    """How a metric is shown to people.

    Attributes:
      label: Its name in tables.
      better: `higher`, `lower`, or empty where neither is.
      meaning: One plain sentence.
    """

    label: str
    better: str
    meaning: str


# By name in metrics.json, in the order of the paper's tables.
METRICS = {
    "accuracy": Metric("Accuracy", "higher", "Test images given their true class."),
    "features": Metric("Features", "lower", "Features that some class uses."),
    "features_per_class": Metric(
        "Features per class", "lower", "Features a person has to look at for a class."
    ),
    "sid_at_5": Metric(
        "SID@5", "higher", "How far a class's five features look at different places."
    ),
    "class_independence": Metric(
        "Class-independence", "higher", "How far features serve more than one class."
    ),
    "contrastiveness": Metric(
        "Contrastiveness", "higher", "How clearly a feature is either on or off."
    ),
    "structural_grounding": Metric(
        "Structural grounding",
        "higher",
        "Whether classes that are alike share features.",
    ),
    "correlation": Metric(
        "Correlation", "lower", "How far a feature repeats its most similar other one."
    ),
}


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Writes `evaluate/metrics.json` with the entries `dense` and `qpm`.

    Args:
      config: Every setting.
      workdir: Where the run lies; needs the phases up to `finetune`.
      dataset: The data set where it is loaded already.

    Raises:
      ValueError: An earlier phase is missing or a setting is impossible.
    """
    setting = prepare(config, workdir, dataset)
    folders.begin(setting.workdir, "evaluate")
    started = time.monotonic()
    variables = dense.final_variables(setting)
    network, kernel = finetune.qpm_network(
        setting.workdir, setting.network.backbone, config.finetune.dropout
    )
    tuned = finetune.final_variables(setting.workdir, network, setting.image_size)
    result = {
        "dense": measure(
            setting,
            setting.network,
            variables,
            np.asarray(variables["params"]["head"]["kernel"]).T,
        ),
        "qpm": measure(setting, network, tuned, np.asarray(kernel).T),
    }
    files.write_json(setting.workdir / "evaluate" / "metrics.json", result)
    folders.mark_done(setting.workdir, "evaluate", time.monotonic() - started)


def measure(
    setting: Setting, network: Any, variables: Any, weights: Float[np.ndarray, "C F"]
) -> dict[str, float | None]:
    """Returns every metric of one model; None where it is not defined."""
    features, labels = _training_features(setting, network, variables)
    used = np.any(weights != 0, axis=0)
    return {
        **_test_metrics(setting, network, variables, weights),
        "features": int(used.sum()),
        "features_per_class": float((weights != 0).sum(axis=1).mean()),
        "class_independence": metrics.class_independence(
            features, labels, setting.num_classes
        ),
        "contrastiveness": metrics.contrastiveness(features, setting.config.seed),
        "correlation": metrics.correlation(features),
        "structural_grounding": _structural_grounding(setting.dataset, weights),
    }


def _structural_grounding(
    dataset: Dataset, weights: Float[np.ndarray, "C F"]
) -> float | None:
    """Returns the metric; None without attributes or where no classes share one."""
    if dataset.class_attributes is None:
        return None
    alike = metrics.class_attribute_similarity(dataset.class_attributes)
    return metrics.structural_grounding(weights, alike) if alike.max() > 0 else None


def read_metrics(workdir: Path) -> dict[str, dict[str, float | None]]:
    """Returns what the phase wrote.

    Raises:
      ValueError: The phase is not done or its file is damaged.
    """
    folders.require(workdir, "evaluate")
    return files.read_json(workdir / "evaluate" / "metrics.json")


def table(result: dict[str, dict[str, float | None]]) -> str:
    """Returns the metrics as a table for people, fractions as percent."""
    lines = [f"{'':32}{'dense':>10}{'QPM':>10}"]
    for name, metric in METRICS.items():
        row = [format_metric(name, result[model][name]) for model in ("dense", "qpm")]
        label = metric.label + (" (lower is better)" if name == "correlation" else "")
        lines.append(f"{label:32}{row[0]:>10}{row[1]:>10}")
    ratio = (result["qpm"]["accuracy"] or 0) / (result["dense"]["accuracy"] or 1)
    lines.append(f"{'QPM accuracy / dense':32}{'':10}{100 * ratio:>9.1f}%")
    return "\n".join(lines)


def format_metric(name: str, value: float | None) -> str:
    """Returns one figure for people: counts as numbers, fractions as percent."""
    if value is None:
        return "–"
    if name.startswith("features"):
        return f"{value:.0f}"
    return f"{100 * value:.1f}%"


def _training_features(
    setting: Setting, network: Any, variables: Any
) -> tuple[Float[np.ndarray, "N F"], np.ndarray]:
    rows, labels = [], []
    for outputs in stream(
        setting, network, variables, setting.dataset.train, "evaluate train"
    ):
        valid = outputs.batch["valid"]
        rows.append(np.asarray(outputs.features)[valid])
        labels.append(outputs.batch["label"][valid])
    return np.concatenate(rows), np.concatenate(labels)


def _test_metrics(
    setting: Setting, network: Any, variables: Any, weights: Float[np.ndarray, "C F"]
) -> dict[str, float | None]:
    """Returns accuracy and SID@5 over the test images."""
    update = jax.jit(metrics.sid_update, static_argnames="k")
    sid, correct = metrics.sid_init(), 0
    # With fewer than five features for a class SID@5 is not defined.
    defined = bool(np.any((weights != 0).sum(axis=1) >= 5))
    for outputs in stream(
        setting, network, variables, setting.dataset.test, "evaluate test"
    ):
        batch = outputs.batch
        if defined:
            sid = update(
                sid, outputs.maps, outputs.logits, weights, k=5, valid=batch["valid"]
            )
        right = np.argmax(outputs.logits, axis=-1) == batch["label"]
        correct += int(np.sum(right & batch["valid"]))
    return {
        "accuracy": correct / len(setting.dataset.test.labels),
        "sid_at_5": metrics.sid_finish(sid) if defined else None,
    }

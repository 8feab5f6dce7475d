"""Phase 6: the report a person reads, and the class × feature sheet as JSON."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Bool, Float, Int
from ml_collections import ConfigDict

from qpm_jax import datasets, explain, files, metrics
from qpm_jax.config_keys import flatten
from qpm_jax.datasets import Dataset
from qpm_jax.phases import assign, evaluate, finetune
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.forward import stream
from qpm_jax.phases.setting import Setting, prepare
from qpm_jax.phases.statistics import read_statistics
from qpm_jax.training import logs

IMAGES_PER_FEATURE = 4
# A report of hundreds of classes shows pictures at most this large, in pixels a side.
LARGEST_PICTURE = 160


class Scored(NamedTuple):
    """What is known of every test image once its maps are gone.

    Attributes:
      features: Normalised values of the selected features.
      scores: How well the image shows its class; -inf where it was misclassified.
      labels: True classes.
    """

    features: Float[np.ndarray, "N n"]
    scores: Float[np.ndarray, " N"]
    labels: Int[np.ndarray, " N"]


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Writes `explain/report.html` and `explain/sheet.json`.

    Args:
      config: Every setting.
      workdir: Where the run lies; needs the phases up to `evaluate`.
      dataset: The data set where it is loaded already.

    Raises:
      ValueError: An earlier phase is missing or a setting is impossible.
    """
    setting = prepare(config, workdir, dataset)
    folders.begin(setting.workdir, "explain")
    started = time.monotonic()
    contents = report_contents(setting)
    folder = setting.workdir / "explain"
    files.write_text(folder / "report.html", explain.build_report(contents))
    files.write_json(folder / "sheet.json", _sheet(setting))
    folders.mark_done(setting.workdir, "explain", time.monotonic() - started)


def report_contents(setting: Setting) -> explain.ReportContents:
    """Gathers everything the report shows from a run that was evaluated."""
    workdir, dataset = setting.workdir, setting.dataset
    selected, assignment = assign.read_assignment(workdir)
    network, _ = finetune.qpm_network(workdir, setting.network.backbone, dropout=0.0)
    variables = finetune.final_variables(workdir, network, setting.image_size)
    scored = _score(setting, network, variables, assignment)
    attributes = dataset.class_attributes
    return explain.ReportContents(
        title=f"QPM on {dataset.name}",
        class_names=dataset.class_names,
        assignment=assignment,
        selected=selected,
        metrics=_metric_rows(evaluate.read_metrics(workdir)),
        history=[r for r in logs.read(workdir) if "epoch" in r],
        class_examples=_class_examples(setting, network, variables, scored),
        feature_examples=_feature_examples(
            setting, network, variables, scored, assignment
        ),
        class_similarity=None
        if attributes is None
        else metrics.class_attribute_similarity(attributes),
        class_attributes=attributes,
        attribute_names=dataset.attribute_names if attributes is not None else (),
        solver=files.read_json(workdir / "assign" / "assignment.json"),
        facts=_run_facts(setting),
    )


def _metric_rows(
    result: dict[str, dict[str, float | None]],
) -> list[explain.MetricRow]:
    return [
        explain.MetricRow(
            label=row.label,
            dense=result["dense"][name],
            qpm=result["qpm"][name],
            unit="count" if name.startswith("features") else "percent",
            better=row.better,
            note=row.meaning,
        )
        for name, row in evaluate.METRICS.items()
    ]


def _run_facts(setting: Setting) -> dict[str, Any]:
    """Returns versions, hardware, durations and settings for the last section."""
    done = {phase: folders.facts(setting.workdir, phase) for phase in folders.PHASES}
    done = {phase: facts for phase, facts in done.items() if facts}
    versions = ("qpm_jax", "jax", "python", "device")
    return {
        "seed": setting.config.seed,
        **{name: done["evaluate"][name] for name in versions},
        "training images": len(setting.dataset.train.labels),
        "test images": len(setting.dataset.test.labels),
        "duration in seconds": {
            phase: round(facts["seconds"], 1) for phase, facts in done.items()
        },
        "settings": flatten(setting.config),
    }


def _score(
    setting: Setting, network: nn.Module, variables: Any, assignment: np.ndarray
) -> Scored:
    """Scores every test image as an example of its class, batch by batch."""
    parts = []
    for outputs in stream(
        setting, network, variables, setting.dataset.test, "examples"
    ):
        valid = outputs.batch["valid"]
        features = np.asarray(outputs.features)[valid]
        labels = outputs.batch["label"][valid]
        scores = explain.example_scores(
            np.asarray(outputs.maps)[valid],
            features,
            labels,
            np.argmax(outputs.logits, axis=-1)[valid],
            assignment,
        )
        parts.append((features, scores, labels))
    return Scored(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _class_examples(
    setting: Setting, network: nn.Module, variables: Any, scored: Scored
) -> explain.ClassExamples:
    chosen = explain.best_per_class(scored.scores, scored.labels, setting.num_classes)
    images, maps = _look_at(setting, network, variables, chosen[:, 0])
    return explain.ClassExamples(images=images, maps=maps, known=chosen[:, 0] >= 0)


def _feature_examples(
    setting: Setting,
    network: nn.Module,
    variables: Any,
    scored: Scored,
    assignment: Bool[np.ndarray, "C n"],
) -> explain.FeatureExamples:
    chosen = explain.top_images(
        scored.features, scored.labels, IMAGES_PER_FEATURE, assignment=assignment
    )
    images, maps = _look_at(setting, network, variables, chosen.ravel())
    features, count = chosen.shape
    own = np.repeat(np.arange(features), count)
    maps = np.take_along_axis(maps, own[:, None, None, None], axis=-1)[..., 0]
    return explain.FeatureExamples(
        images=images.reshape(features, count, *images.shape[1:]),
        maps=maps.reshape(features, count, *maps.shape[1:]),
        labels=np.where(chosen >= 0, scored.labels[chosen], -1),
    )


def _look_at(
    setting: Setting,
    network: nn.Module,
    variables: Any,
    indices: Int[np.ndarray, " M"],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns pictures and maps of single test images; -1 gives the first one's."""
    from functools import partial

    from qpm_jax.datasets.image_files import resize
    from qpm_jax.phases.forward import infer

    function = jax.jit(partial(infer, network, setting.mean, setting.std))
    size = setting.config.evaluation_batch_size
    height, width = setting.image_size
    shrink = min(1.0, LARGEST_PICTURE / max(height, width))
    shown = round(height * shrink), round(width * shrink)
    unique, places = np.unique(np.maximum(indices, 0), return_inverse=True)
    images, maps = [], []
    for start in range(0, len(unique), size):
        wanted = unique[start : start + size]
        padded = np.pad(wanted, (0, size - len(wanted)), mode="edge")
        batch = datasets.gather(
            setting.dataset.test, padded, setting.image_size, setting.config.fit
        )
        pictures = batch["image"][: len(wanted)]
        images += [resize(image, shown) for image in pictures]
        maps.append(np.asarray(function(variables, batch["image"])[2])[: len(wanted)])
    return np.stack(images)[places], np.concatenate(maps)[places]


def _sheet(setting: Setting) -> dict[str, Any]:
    selected, assignment = assign.read_assignment(setting.workdir)
    statistics = read_statistics(setting.workdir)
    return explain.class_feature_sheet(
        setting.dataset.class_names,
        assignment,
        selected,
        statistics.mean[selected],
        statistics.std[selected],
    )

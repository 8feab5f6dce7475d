"""Phase 6: the report a person reads, and the class × feature sheet as JSON."""

import csv
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from ml_collections import ConfigDict

from qpm_jax import explain, files, metrics
from qpm_jax.config_keys import flatten
from qpm_jax.datasets import Dataset
from qpm_jax.phases import assign, evaluate, one_process, published_figures
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.report_examples import examples_of
from qpm_jax.phases.setting import Setting, prepare
from qpm_jax.phases.statistics import read_statistics
from qpm_jax.training import logs


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Writes `explain/report.html` and `explain/sheet.json`.

    Args:
      config: Every setting.
      workdir: Where the run lies; needs the phases up to `evaluate`.
      dataset: The data set where it is loaded already.

    Raises:
      ValueError: An earlier phase is missing, a setting is impossible,
        `explain/names.json` names what it cannot, or there are several hosts.
    """
    one_process.refuse_several_hosts("explain", workdir)
    setting = prepare(config, workdir, dataset)
    folders.require(setting.workdir, "evaluate")
    names = explain.feature_names(setting.workdir)
    folders.begin(setting.workdir, "explain")
    started = time.monotonic()
    contents = report_contents(setting, names)
    folder = setting.workdir / "explain"
    files.write_text(folder / "report.html", explain.build_report(contents))
    files.write_json(folder / "sheet.json", _sheet(setting, names))
    seconds = time.monotonic() - started
    folders.mark_done(setting.workdir, "explain", seconds, setting.mesh.size)


def report_contents(
    setting: Setting, names: dict[int, str] | None = None
) -> explain.ReportContents:
    """Gathers everything the report shows from a run that was evaluated.

    Args:
      setting: The run's surroundings.
      names: What a person calls the features, by channel.
    """
    workdir, dataset = setting.workdir, setting.dataset
    selected, assignment = assign.read_assignment(workdir)
    examples, means = examples_of(setting, assignment)
    similarity, similarity_name = _similarity(dataset, means)
    attributes = dataset.class_attributes
    return explain.ReportContents(
        title=f"QPM on {dataset.name}",
        class_names=dataset.class_names,
        assignment=assignment,
        selected=selected,
        metrics=_metric_rows(evaluate.read_metrics(workdir)),
        published_setting=published_figures.published(setting.config).setting,
        details=evaluate.read_details(workdir),
        history=[r for r in logs.read(workdir) if "epoch" in r],
        examples=examples,
        class_similarity=similarity,
        similarity_name=similarity_name,
        class_attributes=attributes,
        attribute_names=dataset.attribute_names if attributes is not None else (),
        feature_names=names or {},
        solver=files.read_json(workdir / "assign" / "assignment.json"),
        trace=_trace(workdir / "assign" / "trace.csv"),
        facts=_run_facts(setting),
    )


def _similarity(
    dataset: Dataset, means: Float[np.ndarray, "C n"]
) -> tuple[Float[np.ndarray, "C C"], str]:
    """Returns how alike the classes are: in truth, or in what the features saw."""
    attributes = dataset.class_attributes
    if attributes is not None:
        alike = metrics.class_attribute_similarity(attributes)
        return alike, "similarity of attributes"
    return metrics.class_attribute_similarity(means), "similarity of mean features"


def _trace(path: Path) -> list[dict[str, float | None]]:
    """Reads how the solve went; nothing where it was not written down."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            {key: float(value) if value else None for key, value in row.items()}
            for row in csv.DictReader(file)
        ]


def _metric_rows(
    result: dict[str, dict[str, float | None]],
) -> list[explain.MetricRow]:
    return [
        explain.MetricRow(
            label=row.label,
            dense=result["dense"][name],
            qpm=result["qpm"][name],
            published=result["published"][name],
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
    versions = ("qpm_jax", "jax", "python")
    codes = [facts["code"] for facts in done.values() if "code" in facts]
    return {
        "seed": setting.config.seed,
        "training images": len(setting.dataset.train.labels),
        "test images": len(setting.dataset.test.labels),
        "finished": done["evaluate"]["finished"],
        "versions": {
            **{name: done["evaluate"][name] for name in versions},
            "code": "; ".join(dict.fromkeys(codes)),
        },
        "hardware": {
            **{f"device, {phase}": facts["device"] for phase, facts in done.items()},
            "this report": f"{platform.platform()}, {os.cpu_count()} processors",
        },
        "duration in seconds": {
            phase: round(facts["seconds"], 1) for phase, facts in done.items()
        },
        "settings": flatten(setting.config),
    }


def _sheet(setting: Setting, names: dict[int, str]) -> dict[str, Any]:
    selected, assignment = assign.read_assignment(setting.workdir)
    statistics = read_statistics(setting.workdir)
    return explain.class_feature_sheet(
        setting.dataset.class_names,
        assignment,
        selected,
        statistics.mean[selected],
        statistics.std[selected],
        names=names,
    )

"""What each part of QPM is worth: the same run over seeds, with one part left out.

Variants as in the paper's ablation (QPM, Table 4): without the diversity loss, without
the pair penalties Z_R, without the locality bias Z_B. A variant that shares its dense
model with the full run takes it over instead of training it again.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.phases import evaluate, pipeline, sharing
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.setting import prepare

logger = logging.getLogger(__name__)

FULL = "qpm"
VARIANTS: dict[str, dict[str, float | bool]] = {
    FULL: {},
    "without_diversity_loss": {"dense.diversity": 0.0, "finetune.diversity": 0.0},
    "without_redundancy": {"assign.redundancy": False},
    "without_bias": {"assign.bias": False},
}
_LABELS = {
    FULL: "QPM",
    "without_diversity_loss": "without the diversity loss",
    "without_redundancy": "without Z_R",
    "without_bias": "without Z_B",
}

Results = dict[str, list[dict[str, float | None]]]


def run(config: ConfigDict, workdir: str | Path, seeds: Sequence[int]) -> Results:
    """Runs every variant for every seed and writes `table.json` and `table.md`.

    Args:
      config: Settings of the full run; its seed is replaced.
      workdir: Takes a folder a run, `seed0/qpm` and so on; finished runs are kept.
      seeds: At least one.

    Returns:
      Metrics by row (`dense` and the variants), a list over seeds each.

    Raises:
      ValueError: No seeds, or a setting is impossible.
    """
    if not seeds:
        raise ValueError("seeds is empty; give at least one, such as 0,1,2.")
    workdir = Path(workdir).absolute()
    results: Results = {name: [] for name in ("dense", *VARIANTS)}
    dataset = None
    for seed in seeds:
        folder = workdir / f"seed{seed}"
        for name in VARIANTS:
            varied = variant(config, name, seed)
            if name != FULL:
                _share_dense(folder / FULL, folder / name, varied)
            if dataset is None:
                dataset = prepare(varied, folder / name).dataset
            until = "explain" if name == FULL else "evaluate"
            pipeline.run(varied, folder / name, dataset, until)
            metrics = evaluate.read_metrics(folder / name)
            results[name].append(metrics["qpm"])
            if name == FULL:
                results["dense"].append(metrics["dense"])
            logger.info("seed %d, %s done", seed, name)
    files.write_json(workdir / "table.json", {"seeds": list(seeds), **results})
    files.write_text(workdir / "table.md", table(results))
    return results


def variant(config: ConfigDict, name: str, seed: int) -> ConfigDict:
    """Returns the settings of one variant with the given seed."""
    varied = config.copy_and_resolve_references()
    varied.seed = seed
    varied.update_from_flattened_dict(VARIANTS[name])
    return varied


def table(results: Results) -> str:
    """Returns a Markdown table, mean ± standard deviation over the seeds."""
    names = evaluate.PAPER
    lines = [
        "| | " + " | ".join(evaluate.METRICS[name].label for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for row, metrics in results.items():
        label = _LABELS.get(row, row)
        cells = [_mean_and_deviation([m[name] for m in metrics]) for name in names]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _mean_and_deviation(values: list[float | None]) -> str:
    if any(value is None for value in values):
        return "–"
    percent = 100 * np.array(values, dtype=float)
    deviation = percent.std(ddof=1) if len(percent) > 1 else 0.0
    return f"{percent.mean():.1f} ± {deviation:.1f}"


def _share_dense(source: Path, target: Path, varied: ConfigDict) -> None:
    """Takes over what the full run has that this variant would make alike."""
    full = sharing.fingerprints(folders.read_config(source))
    sharing.take_over(
        source, target, sharing.common_phases(full, sharing.fingerprints(varied))
    )

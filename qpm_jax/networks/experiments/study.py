"""Runs an experiment in a work directory: what is done is not done again."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.finished_runs import append_run, read_runs
from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.conv_picture import conv_picture
from qpm_jax.networks.experiments import image_data, measurements
from qpm_jax.networks.experiments.image_runs import execute_images
from qpm_jax.networks.experiments.table_runs import Run, execute, planned_runs
from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.picture import network_picture

logger = logging.getLogger(__name__)

Records = dict[Run, dict[str, Any]]


def run(
    config: ConfigDict,
    workdir: str | Path,
    progress: Callable[[int, int], object] | None = None,
) -> Records:
    """Does every run of a configuration that is not done, then the table and pictures.

    Args:
        config: see `settings.default`.
        workdir: gets runs.jsonl with a line a finished run, table.md and figures/. Runs
            that were done with other settings are done again.
        progress: called with the runs done and all runs, also before the first.

    Returns:
        The records of the configuration's runs.

    Raises:
        ValueError: a line of runs.jsonl that is none.
        KeyboardInterrupt: a run was interrupted; those before are kept.
    """
    folder = Path(workdir)
    settings = json.loads(config.to_json())
    settings.pop("seeds")
    done = read_records(folder, settings)
    source = _source(config)
    runs = list(planned_runs(config))
    for number, planned in enumerate(runs):
        if progress is not None:
            progress(number, len(runs))
        if planned not in done:
            if isinstance(source, image_data.Images):
                done[planned] = execute_images(source, planned.seed, config)
            else:
                done[planned] = execute(source, planned, config)
            append_run(folder, _as_line(planned, settings, done[planned]))
            _log(planned, done[planned], number + 1, len(runs))
    if progress is not None:
        progress(len(runs), len(runs))
    records = {planned: done[planned] for planned in runs}
    files.write_text(folder / "table.md", table(records))
    for planned, record in records.items():
        if "milp" in record:
            name = f"network-{planned.table}-seed{planned.seed}.png"
            files.write_bytes(folder / "figures" / name, _picture(source, record))
    return records


def _source(config: ConfigDict) -> measurements.Measurements | image_data.Images:
    if config.table in image_data.NAMES:
        source = image_data.load(config.table, config.conv.side, config.root)
        return image_data.first_classes(source, config.conv.classes)
    return measurements.load(config.table)


def read_records(workdir: str | Path, settings: dict[str, Any]) -> Records:
    """Reads what is done with these settings.

    Args:
        workdir: folder of the experiment; it need not exist.
        settings: of the configuration, without its seeds.

    Raises:
        ValueError: a line that is not a run's.
    """
    done = read_runs(workdir, _from_values)
    return {planned: record for planned, own, record in done if own == settings}


def _from_values(values: dict[str, Any]) -> tuple[Run, dict[str, Any], dict[str, Any]]:
    return Run(**values["run"]), values["settings"], values["figures"]


def table(records: Records) -> str:
    """Markdown: a row a model, mean ± standard error over the seeds, in percent.

    Args:
        records: finished runs of one data set.
    """
    lines = [
        "| model | test accuracy | training | zero weights | parameters removed | gap"
        " | seconds | seeds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    names = [name for name in next(iter(records.values())) if name != "chosen"]
    keys = (
        "test_accuracy",
        "training_accuracy",
        "sparsity",
        "parameter_reduction",
        "gap",
    )
    for name in names:
        own = [record[name] for record in records.values()]
        cells = [_share([each.get(key) for each in own]) for key in keys]
        seconds = np.mean([each["seconds"] for each in own])
        row = [name, *cells, f"{seconds:.1f}", str(len(own))]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _share(values: Sequence[float | None]) -> str:
    known = np.array([value for value in values if value is not None])
    if not known.size or not np.isfinite(known).all():
        return "–"
    error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else 0.0
    return f"{100 * known.mean():.1f} ± {100 * error:.1f}"


def _as_line(planned: Run, settings: dict[str, Any], figures: dict[str, Any]) -> str:
    values = {"run": asdict(planned), "settings": settings, "figures": figures}
    return json.dumps(values)


def _picture(
    source: measurements.Measurements | image_data.Images, record: dict[str, Any]
) -> bytes:
    title = f"{source.name}: {100 * record['milp']['test_accuracy']:.1f} % right"
    kept = record["milp"]["network"]
    if isinstance(source, image_data.Images):
        network = ConvNetwork(**kept)
        number = len(network.readout_biases)
        names = _output_names(tuple(map(str, np.unique(source.labels))), number)
        return conv_picture(network, names, title)
    return _dense_picture(source, kept, title)


def _dense_picture(
    source: measurements.Measurements, kept: dict[str, Any], title: str
) -> bytes:
    network = ReLUNetwork(
        tuple(np.array(each) for each in kept["weights"]),
        tuple(np.array(each) for each in kept["biases"]),
    )
    names = _output_names(source.class_names, len(network.biases[-1]))
    return network_picture(network, source.feature_names, names, title)


def _output_names(class_names: tuple[str, ...], number: int) -> tuple[str, ...]:
    if number == len(class_names):
        return class_names
    return tuple(f"bit {place}" for place in range(number))


def _log(planned: Run, record: dict[str, Any], number: int, total: int) -> None:
    shown = ", ".join(
        f"{name} {100 * figures['test_accuracy']:.1f} %"
        for name, figures in record.items()
        if name != "chosen"
    )
    logger.info(
        "%d of %d: %s, seed %d: %s", number, total, planned.table, planned.seed, shown
    )

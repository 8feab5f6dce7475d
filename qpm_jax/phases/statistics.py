"""Phase 2: one pass over the training images gives A, R, b and the features' moments.

Images pass with the test-time transform and the model in evaluation mode, for all three
alike; the published code reads b from augmented images by oversight.
"""

import time
from dataclasses import asdict
from pathlib import Path

from ml_collections import ConfigDict

from qpm_jax import distributed, files, models, statistics
from qpm_jax.datasets import Dataset
from qpm_jax.phases import dense
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.forward import stream
from qpm_jax.phases.setting import prepare


def run(
    config: ConfigDict, workdir: str | Path, dataset: Dataset | None = None
) -> None:
    """Writes `statistics/statistics.npz`: similarity, redundancy, bias, mean, std.

    Args:
      config: Every setting.
      workdir: Where the run lies; needs the phase `dense`.
      dataset: The data set where it is loaded already.

    Raises:
      ValueError: The dense phase is missing or a setting is impossible.
    """
    setting = prepare(config, workdir, dataset)
    if not folders.has_work(setting.workdir, "statistics"):
        return
    variables = dense.final_variables(setting)
    started = time.monotonic()
    num_features = models.specification(config.model.name).num_features
    state = statistics.shared_init(setting.mesh, num_features, setting.num_classes)
    update = statistics.shared_update(setting.mesh, state)
    for outputs in stream(
        setting, setting.network, variables, setting.dataset.train, "statistics"
    ):
        batch = outputs.batch
        state = update(
            state, outputs.features, outputs.maps, batch["label"], batch["valid"]
        )
    sums = statistics.shared_sums(state, setting.num_classes)

    def finish() -> None:
        files.write_arrays(_path(setting.workdir), asdict(statistics.finish(sums)))

    distributed.once(finish)
    seconds = time.monotonic() - started
    folders.mark_done(setting.workdir, "statistics", seconds, setting.mesh.size)


def read_statistics(workdir: Path) -> statistics.Statistics:
    """Returns what the phase wrote.

    Raises:
      ValueError: The phase is not done or its file is damaged.
    """
    folders.require(workdir, "statistics")
    return statistics.Statistics(**files.read_arrays(_path(workdir)))


def _path(workdir: Path) -> Path:
    return workdir / "statistics" / "statistics.npz"

"""The experiments of binarized regression: MIP, PBO, logistic regression, descent.

python -m launch.regression --config=configs/regression_flags.py --workdir=runs/flags

WORKDIR gets runs.jsonl with a line a finished run, weights/, table.md and figures/.
Started again, it goes on with what is not done.
"""

from pathlib import Path

from ml_collections import ConfigDict

from launch import app
from qpm_jax.regression.experiments import settings, study
from qpm_jax.regression.experiments.table import tables
from qpm_jax.training.progress import bar


def main(config: ConfigDict, workdir: str) -> None:
    """Runs what is not done yet and prints the tables."""
    with bar(0, config.table.name) as line:

        def report(done: int, total: int) -> None:
            line.total = total
            line.update(done - line.n)

        records = study.run(config, Path(workdir), report)
    print(tables(records))
    print(f"Written to {workdir}")


if __name__ == "__main__":
    app.run_configured(main, settings.default(), settings.from_dict)

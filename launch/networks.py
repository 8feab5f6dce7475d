"""The experiments with networks: by MILP, gradient descent, pruning, and references.

python -m launch.networks --config=configs/networks_iris.py --workdir=runs/networks-iris

WORKDIR gets runs.jsonl with a line a finished run, table.md and figures/. Started
again, it goes on with what is not done.
"""

from pathlib import Path

from ml_collections import ConfigDict

from launch import app
from qpm_jax.networks.experiments import settings, study
from qpm_jax.training.progress import bar


def main(config: ConfigDict, workdir: str) -> None:
    """Runs what is not done yet and prints the table."""
    with bar(0, config.table) as line:

        def report(done: int, total: int) -> None:
            line.total = total
            line.update(done - line.n)

        records = study.run(config, Path(workdir), report)
    print(study.table(records))
    print(f"Written to {workdir}")


if __name__ == "__main__":
    app.run_configured(main, settings.default(), settings.from_dict)

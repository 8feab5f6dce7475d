"""All phases: what is done already is passed over, what was cut short goes on.

python -m launch.pipeline --config=configs/birds.py --workdir=runs/birds
"""

from pathlib import Path

from ml_collections import ConfigDict

from launch import app
from qpm_jax.phases import evaluate, pipeline


def main(config: ConfigDict, workdir: str) -> None:
    """Runs every phase, prints the table and says where the report lies."""
    pipeline.run(config, workdir)
    print(evaluate.table(evaluate.read_metrics(Path(workdir))))
    print(f"Report: {Path(workdir) / 'explain' / 'report.html'}")


if __name__ == "__main__":
    app.run_phase(main)

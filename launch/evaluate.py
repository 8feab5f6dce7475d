"""Phase 5: measures the dense model and QPM, prints one table.

python -m launch.evaluate --config=configs/birds.py --workdir=runs/birds
"""

from pathlib import Path

from ml_collections import ConfigDict

from launch import app
from qpm_jax.phases import evaluate


def main(config: ConfigDict, workdir: str) -> None:
    """Runs the phase and prints its table."""
    evaluate.run(config, workdir)
    print(evaluate.table(evaluate.read_metrics(Path(workdir))))


if __name__ == "__main__":
    app.run_phase(main)

"""Phase 2: computes A, R and b over the training images.

python -m launch.statistics --config=configs/birds.py --workdir=runs/birds
"""

from launch import app
from qpm_jax.phases import statistics

if __name__ == "__main__":
    app.run_phase(statistics.run)

"""Phase 1: trains backbone and dense head with the feature diversity loss.

python -m launch.dense --config=configs/birds.py --workdir=runs/birds
"""

from launch import app
from qpm_jax.phases import dense

if __name__ == "__main__":
    app.run_phase(dense.run)

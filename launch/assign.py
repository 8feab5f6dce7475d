"""Phase 3: solves the quadratic program that picks and assigns features.

python -m launch.assign --config=configs/birds.py --workdir=runs/birds
"""

from launch import app
from qpm_jax.phases import assign

if __name__ == "__main__":
    app.run_phase(assign.run)

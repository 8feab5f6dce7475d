"""Phase 4: fine-tunes the backbone under the fixed binary head.

python -m launch.finetune --config=configs/birds.py --workdir=runs/birds
"""

from launch import app
from qpm_jax.phases import finetune

if __name__ == "__main__":
    app.run_phase(finetune.run)

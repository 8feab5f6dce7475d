"""The table over several seeds, with each part of QPM left out in turn.

python -m launch.ablation --config=configs/birds.py --workdir=runs/birds-table
"""

from absl import flags
from ml_collections import ConfigDict

from launch import app
from qpm_jax.phases import ablation

SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds, separated by commas.")


def main(config: ConfigDict, workdir: str) -> None:
    """Runs what is not done yet and prints the table."""
    seeds = [int(seed) for seed in SEEDS.value]
    print(ablation.table(ablation.run(config, workdir, seeds)))


if __name__ == "__main__":
    app.run_phase(main)

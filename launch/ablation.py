"""The table over several seeds, with each part of QPM left out in turn.

python -m launch.ablation --config=configs/birds.py --workdir=runs/birds-table
"""

from absl import flags
from ml_collections import ConfigDict

from launch import app, seeds
from qpm_jax.phases import ablation

flags.adopt_module_key_flags(seeds)


def main(config: ConfigDict, workdir: str) -> None:
    """Runs what is not done yet and prints the table."""
    runs = ablation.run(config, workdir, seeds.chosen([0, 1, 2]))
    print(ablation.table(runs))


if __name__ == "__main__":
    app.run_phase(main)

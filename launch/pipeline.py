"""All phases: what is done already is passed over, what was cut short goes on.

python -m launch.pipeline --config=configs/birds.py --workdir=runs/birds
"""

from pathlib import Path

from absl import flags
from ml_collections import ConfigDict

from launch import app, cluster, last_phase
from qpm_jax.phases import evaluate, pipeline
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.published_figures import published

flags.adopt_module_key_flags(last_phase)


def main(config: ConfigDict, workdir: str) -> None:
    """Runs every phase, prints the table and says where the report lies."""
    pipeline.run(config, workdir, until=last_phase.chosen())
    folder = Path(workdir).absolute()
    if folders.is_done(folder, "evaluate"):
        result = evaluate.read_metrics(folder)
        cluster.tell(evaluate.table(result, published(config).setting))
    if folders.is_done(folder, "explain"):
        cluster.tell(f"Report: {Path(workdir) / 'explain' / 'report.html'}")


if __name__ == "__main__":
    app.run_phase(main)

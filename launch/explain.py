"""Phase 6: writes the HTML report and the class × feature sheet.

python -m launch.explain --config=configs/birds.py --workdir=runs/birds
"""

from pathlib import Path

from ml_collections import ConfigDict

from launch import app
from qpm_jax.phases import explain


def main(config: ConfigDict, workdir: str) -> None:
    """Runs the phase and says where its files lie."""
    explain.run(config, workdir)
    print(f"Report: {Path(workdir) / 'explain' / 'report.html'}")


if __name__ == "__main__":
    app.run_phase(main)

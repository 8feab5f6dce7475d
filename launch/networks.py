"""The experiments with networks: by MILP, gradient descent, pruning, and references.

python -m launch.networks --config=configs/networks_iris.py --workdir=runs/networks-iris

WORKDIR gets runs.jsonl with a line a finished run, table.md and figures/. Started
again, it goes on with what is not done.
"""

import sys
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from launch import app
from qpm_jax.config import flatten
from qpm_jax.networks import settings, study
from qpm_jax.training.progress import bar


def main(arguments: list[str]) -> None:
    """Checks the keys of the command line, then runs."""
    _refuse_unknown_keys(arguments)
    config = config_flags.DEFINE_config_file(
        "config", None, "File in configs/; --config.KEY=VALUE changes single keys."
    )
    flags.mark_flags_as_required(["config", "workdir"])

    def action() -> None:
        values = settings.from_dict(config.value.to_dict())
        workdir = Path(app.workdir())
        with bar(0, values.table) as line:

            def report(done: int, total: int) -> None:
                line.total = total
                line.update(done - line.n)

            records = study.run(values, workdir, report)
        print(study.table(records))
        print(f"Written to {workdir}")

    app.run(action)


def _refuse_unknown_keys(arguments: list[str]) -> None:
    """Names a configuration key that does not exist, and the nearest that do."""
    known = flatten(settings.default())
    for argument in arguments[1:]:
        if not argument.lstrip("-").startswith("config."):
            continue
        name = argument.lstrip("-").removeprefix("config.").split("=")[0]
        if name not in known:
            app.stop(f"Error: {settings.unknown_key_message(name)}")


if __name__ == "__main__":
    main(sys.argv)

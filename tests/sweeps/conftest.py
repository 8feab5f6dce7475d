"""Sweeps whose runs are made of small files, in an instant and without training."""

import json

import pytest

from qpm_jax.config import default
from qpm_jax.phases.metric_table import METRICS
from qpm_jax.phases.workdir import PHASES
from qpm_jax.sweeps import Axis, Sweep, expand, open_sweep

# What a run's process does in these tests: every phase, from what is there already.
_PIPELINE = """
import json, pathlib, sys, time, uuid
folder, phases, faults = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
faults, origin = json.loads(faults), None
print("works in", folder.name, flush=True)
for phase in phases:
    place = folder / phase
    if not (place / "done.json").exists():
        if faults.get("fails") == phase:
            print("Error: no luck with", phase, flush=True)
            sys.exit(3)
        time.sleep(faults.get("seconds", 0))
        place.mkdir(parents=True, exist_ok=True)
        (place / "begun.json").write_text(json.dumps({"origin": origin}))
        if phase == "evaluate":
            (place / "metrics.json").write_text(json.dumps(faults["metrics"]))
        with (folder / "log.jsonl").open("a") as log:
            print(json.dumps({"phase": phase, "step": 1, "run": folder.name}), file=log)
        (place / "done.json").write_text(json.dumps({"result": uuid.uuid4().hex}))
    origin = json.loads((place / "done.json").read_text())["result"]
    if faults.get("stops") == phase:
        sys.exit(0)
"""


def metrics_of(accuracy, **others):
    """`metrics.json` of a run with this accuracy; the dense model's is 0.9."""
    empty = dict.fromkeys(METRICS)
    return {
        "dense": {**empty, "accuracy": 0.9, "features": 640},
        "qpm": {**empty, "accuracy": accuracy, "features": 20, **others},
        "published": {},
    }


@pytest.fixture
def make_sweep(tmp_path):
    """Returns a function: axes and seeds -> an open sweep."""

    def make(grid, seeds=(0,), until="explain", **changes):
        config = default()
        config.update_from_flattened_dict(changes)
        axes = [Axis((key,), tuple((v,) for v in values)) for key, values in grid]
        keys = tuple(key for key, _ in grid)
        runs = expand(config, axes, seeds)
        sweep = Sweep(tmp_path / "sweep", config, ("--config=c.py",), keys, until, runs)
        return open_sweep(sweep)

    return make


@pytest.fixture
def finish():
    """Returns a function that writes a run's phases as if it had been made."""

    def write(folder, until="explain", accuracy=0.5, **others):
        origin = None
        for phase in PHASES[: PHASES.index(until) + 1]:
            (folder / phase).mkdir(parents=True, exist_ok=True)
            (folder / phase / "begun.json").write_text(json.dumps({"origin": origin}))
            origin = f"{folder.name} {phase}"
            (folder / phase / "done.json").write_text(json.dumps({"result": origin}))
            if phase == "evaluate":
                metrics = metrics_of(accuracy, **others)
                (folder / phase / "metrics.json").write_text(json.dumps(metrics))
        return folder

    return write


@pytest.fixture
def faults(monkeypatch, tmp_path):
    """Has runs made by a process of a moment; faults by the run's name go in here."""
    by_name = {}
    pipeline = tmp_path / "pipeline.py"
    pipeline.write_text(_PIPELINE)

    def arguments(sweep, run):
        asked = {"metrics": metrics_of(0.5), **by_name.get(run.name, {})}
        phases = PHASES[: PHASES.index(sweep.until) + 1]
        texts = json.dumps(phases), json.dumps(asked)
        return ["-S", str(pipeline), str(sweep.folder(run)), *texts]

    monkeypatch.setattr("qpm_jax.sweeps.child.pipeline_arguments", arguments)
    return by_name

"""Solves the quadratic program that picks and assigns features, in one of two forms.

python -m launch.assign --features=FILE.npz [--output=FOLDER], features of any framework
python -m launch.assign --config=configs/birds.py --workdir=runs/birds, phase 3 of a run

FILE.npz holds features [N, F] and labels [N] (with is_train [N], bias [F] and per_class
[C] where wanted), or A [F, C] (with R [F, F], b [F], classes [C] and per_class [C]).
FOLDER gets assignment.npz, assignment.json, trace.csv and trace.png. Ctrl-C keeps the
best assignment so far.
"""

import math
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags
from tqdm import tqdm

from launch import app
from qpm_jax import assignment
from qpm_jax.assignment.answer_files import write_answer
from qpm_jax.assignment.feature_file import read_bias, read_instance
from qpm_jax.assignment.from_features import problem_of
from qpm_jax.assignment.trace import TracePoint, record
from qpm_jax.solvers.solution import relative_gap

_FORMS = (
    "give --features=FILE.npz to solve for features of any framework, or"
    " --config=CONFIG.py and --workdir=FOLDER for phase 3 of a run"
)


def main(arguments: list[str]) -> None:
    """Takes the form that the flags name."""
    named = {re.split("[=.]", a.lstrip("-"))[0] for a in arguments if a[:1] == "-"}
    of_features, of_run = "features" in named, named & {"config", "workdir"}
    if of_features and of_run:
        app.stop(f"Error: --features and --{min(of_run)} do not go together; {_FORMS}.")
    if of_run:
        from qpm_jax.phases import assign

        app.run_phase(assign.run)
        return
    values = _flags()
    if not of_features and not named & {"help", "helpshort", "helpfull", "helpxml"}:
        app.stop(f"Error: {_FORMS}.")
    app.run(lambda: _solve_features(values))


def _flags() -> flags.FlagValues:
    """Flags of the first form only: phase 3 takes its settings from the config."""
    flags.DEFINE_string("features", None, ".npz file; see above for what it holds.")
    flags.DEFINE_string("output", "", "Folder; empty: FILE-assignment beside the file.")
    flags.DEFINE_integer("num_features", 50, "n, how many features to select.")
    flags.DEFINE_list(
        "per_class", None, "k, one number or one a class; default: the file's, else 5."
    )
    flags.DEFINE_string("solver", "native", "native, highs, scip, gurobi or published.")
    flags.DEFINE_float("time_limit", 60.0, "Seconds; 0: the plain first selection.")
    flags.DEFINE_float("gap", 0.0, "Relative gap at which to stop; 0: a proof.")
    flags.DEFINE_integer("seed", 0, "Randomness of the search.")
    flags.DEFINE_integer(
        "restarts", 1, "Native searches side by side, each a process; the best is kept."
    )
    flags.DEFINE_list("forced_in", [], "Features to select, such as 1,2; from 0 on.")
    flags.DEFINE_list("forced_out", [], "Features not to select.")
    flags.DEFINE_string(
        "bias_file", "", "Bonus a feature, .npy or a number a line; for the file's."
    )
    flags.DEFINE_integer("min_classes", 0, "Classes a selected feature has to serve.")
    flags.DEFINE_bool("ternary", False, "Whether a class may also lack a feature (−1).")
    flags.DEFINE_bool("redundancy", True, "Whether redundant pairs are penalised.")
    return flags.FLAGS


def _solve_features(values: flags.FlagValues) -> None:
    """Reads, solves, writes and says what was found."""
    path = Path(values.features)
    output = Path(values.output or path.with_name(f"{path.stem}-assignment"))
    try:
        instance = read_instance(path)
        if values.bias_file:
            instance = replace(instance, bias=read_bias(values.bias_file))
        problem, epsilon = problem_of(instance, **_choices(values))
        _make_folder(output)
        result, trace = _solve(problem, values)
    except KeyboardInterrupt:
        app.leave("Interrupted before there was an assignment; nothing written.", 130)
    write_answer(output, instance, problem, epsilon, result, trace)
    last = TracePoint(result.seconds, result.objective, result.bound)
    print(f"{result.status}: {_words(last)}\nWritten to {output}")
    if result.status == "interrupted":
        app.leave(f"Interrupted; the best assignment so far is in {output}.", 130)


def _solve(
    problem: assignment.AssignmentProblem, values: flags.FlagValues
) -> tuple[assignment.Assignment, list[TracePoint]]:
    """Solves, with a line on a terminal that tells how far it is."""
    trace: list[TracePoint] = []
    options = {} if values.restarts == 1 else {"restarts": values.restarts}
    if options and values.solver != "native":
        raise ValueError(
            f"--restarts={values.restarts} is for --solver=native; leave it out for"
            f" {values.solver}."
        )
    quiet = not sys.stderr.isatty()
    with tqdm(desc="solving", bar_format="{desc}", disable=quiet) as line:

        def report(objective: float, bound: float, seconds: float) -> None:
            point = TracePoint(seconds, objective, bound)
            record(trace, point)
            line.set_description_str(_words(point), refresh=False)
            line.update()  # draws ten times a second at most

        result = assignment.solve(
            problem,
            solver=values.solver,
            time_limit=values.time_limit,
            seed=values.seed,
            gap=values.gap,
            progress=report,
            **options,
        )
    return result, trace


def _choices(values: flags.FlagValues) -> dict[str, Any]:
    """The flags that say what to choose, as `problem_of` takes them."""
    per_class = _numbers("per_class", values.per_class or [])
    return {
        "num_features": values.num_features,
        "per_class": per_class[0] if len(per_class) == 1 else per_class or None,
        "redundancy": values.redundancy,
        "forced_in": _numbers("forced_in", values.forced_in),
        "forced_out": _numbers("forced_out", values.forced_out),
        "min_classes": values.min_classes,
        "ternary": values.ternary,
    }


def _numbers(name: str, texts: list[str]) -> list[int]:
    try:
        return [int(text) for text in texts]
    except ValueError as error:
        raise ValueError(
            f"--{name}={','.join(texts)} must be whole numbers, such as 1,2,3."
        ) from error


def _make_folder(folder: Path) -> None:
    """Made before the solve, so that no answer is lost to a folder that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"--output={folder} cannot be written ({error.strerror}); name a folder"
            " that can."
        ) from error


def _words(point: TracePoint) -> str:
    gap = relative_gap(point.objective, point.bound)
    known = f"bound {point.bound:.4f}, gap {100 * gap:.2f} %"
    bound = known if math.isfinite(gap) else "no bound"
    return f"objective {point.objective:.4f}, {bound}, {point.seconds:.1f} s"


if __name__ == "__main__":
    main(sys.argv)

import shlex

from qpm_jax.sweeps import all_fingerprints, script
from qpm_jax.sweeps.commands import pipeline_arguments


def test_a_run_is_a_pipeline_with_the_values_of_its_cell(make_sweep):
    sweep = make_sweep([("num_features", (20,)), ("assign.bias", (False,))], seeds=(3,))
    assert pipeline_arguments(sweep, sweep.runs[0]) == [
        "-m",
        "launch.pipeline",
        "--config=c.py",
        "--config.num_features=20",
        "--config.assign.bias=False",
        "--config.seed=3",
        f"--workdir={sweep.workdir}/num_features=20,assign.bias=False,seed=3",
    ]


def test_the_last_phase_is_handed_on(make_sweep):
    sweep = make_sweep([("num_features", (20,))], until="evaluate")
    assert pipeline_arguments(sweep, sweep.runs[0])[-1] == "--until=evaluate"


def test_printed_lines_take_over_before_they_begin(make_sweep):
    sweep = make_sweep([("num_features", (20, 30))])
    first, comment, second = script(
        sweep, sweep.runs, all_fingerprints(sweep)
    ).splitlines()
    assert shlex.split(first)[:3] == ["python", "-m", "launch.pipeline"]
    assert comment.startswith("# When those above are done")
    words = shlex.split(second)
    assert words[:3] == ["python", "-m", "launch.sweep"]
    assert words[words.index("&&") - 1] == "--take_over=num_features=30,seed=0"
    assert words[words.index("&&") + 3] == "launch.pipeline"


def test_a_run_takes_over_from_those_that_are_there_already(make_sweep, finish):
    sweep = make_sweep([("num_features", (20, 30))])
    finish(sweep.folder(sweep.runs[0]))
    (line,) = script(sweep, sweep.runs[1:], all_fingerprints(sweep)).splitlines()
    assert "--take_over=num_features=30,seed=0" in line


def test_nothing_to_do_prints_nothing(make_sweep):
    sweep = make_sweep([("num_features", (20, 30))])
    assert script(sweep, [], all_fingerprints(sweep)) == ""

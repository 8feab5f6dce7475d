import json
import math
from dataclasses import replace

import numpy as np

from qpm_jax import assignment, files
from qpm_jax.assignment.answer_files import write_answer
from qpm_jax.assignment.from_features import instance_from_similarity, problem_of
from qpm_jax.assignment.trace import TracePoint


def solved():
    scores = np.random.default_rng(0).normal(size=(7, 3))
    instance = instance_from_similarity(scores, classes=np.array([-4, 0, 9]))
    problem, epsilon = problem_of(instance, 4, 2)
    return instance, problem, epsilon, assignment.solve(problem, time_limit=2)


def test_the_answer_is_written_for_programs_and_people(tmp_path):
    instance, problem, epsilon, result = solved()
    folder = tmp_path / "new" / "folder"
    trace = [TracePoint(0.1, 1.0, math.inf)]
    write_answer(folder, instance, problem, epsilon, result, trace)
    arrays = files.read_arrays(folder / "assignment.npz")
    assert np.array_equal(arrays["selected"], result.selected)
    assert np.array_equal(arrays["assignment"], result.assignment)
    assert arrays["classes"].tolist() == [-4, 0, 9]
    facts = json.loads((folder / "assignment.json").read_text())
    assert facts["objective"] == result.objective
    assert facts["classes"]["-4"] == result.selected[result.assignment[0]].tolist()
    assert "lacking" not in facts
    assert len((folder / "trace.csv").read_text().splitlines()) == 3
    assert (folder / "trace.png").read_bytes()[1:4] == b"PNG"


def test_what_is_unknown_is_null_since_json_knows_no_infinity(tmp_path):
    instance, problem, _, result = solved()
    result = replace(result, bound=math.inf, gap=math.inf)
    write_answer(tmp_path, instance, problem, math.inf, result, [])
    text = (tmp_path / "assignment.json").read_text()
    facts = json.loads(text, parse_constant=lambda name: f"not JSON: {name}")
    assert (facts["bound"], facts["gap"], facts["epsilon"]) == (None, None, None)


def test_a_ternary_answer_says_what_classes_lack(tmp_path):
    instance, problem, epsilon, result = solved()
    signs = result.assignment.astype(np.int8)
    column = np.flatnonzero(signs[0])[0]
    signs[0, column] = -1
    result = replace(result, assignment=signs)
    write_answer(tmp_path, instance, problem, epsilon, result, [])
    facts = json.loads((tmp_path / "assignment.json").read_text())
    assert facts["lacking"]["-4"] == [result.selected[column]]
    assert len(facts["classes"]["-4"]) == 1

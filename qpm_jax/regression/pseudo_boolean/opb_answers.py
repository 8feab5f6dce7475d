"""Answers of pseudo-Boolean solvers, in the output format of the PB competition.

    c anything
    o -9
    s OPTIMUM FOUND
    v x1 -x2 x3

`s` says how it ended and `v` lines, one or many, give the variables' values, 0 where
there is a minus. Comments, objectives and whatever else is printed are passed over.
Source: Roussel and Manquinho, "Input/Output Format and Solver Requirements for the
Competitions of Pseudo-Boolean Solvers".
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from qpm_jax.solvers import MixedIntegerProgram
from qpm_jax.solvers.solution import FEASIBILITY_TOLERANCE, evaluate

_SOLVED = ("OPTIMUM FOUND", "SATISFIABLE")
_LITERAL = re.compile(r"(-?)x([1-9]\d*)")


def read_opb_answer(
    path: str | Path, program: MixedIntegerProgram
) -> Float[np.ndarray, " T"]:
    """Reads the solution that a solver printed for an OPB file.

    Args:
        path: a file with the solver's output. RoundingSat prints values only where
            asked to (`--print-sol=1`).
        program: the program over T bits that `write_opb` wrote.

    Returns:
        float64 [T], 0 or 1, x1 first: a solution of the program, as `read_bits` takes.

    Raises:
        ValueError: for a file that is absent or has no answer, an answer without a
            solution, one that breaks the program, and a variable that is missing,
            unknown or given two values: the message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is no file; give the path of a solver's output.")
    lines = list(enumerate(map(str.split, path.read_text().splitlines()), 1))
    _check_solved(path, lines)
    bits = np.full(program.num_variables, np.nan)
    for number, words in lines:
        if words[:1] == ["v"]:
            _fill(bits, words[1:], f"{path}, line {number}")
    missing = np.flatnonzero(np.isnan(bits))
    if missing.size:
        raise ValueError(
            f"{path} gives no value of x{missing[0] + 1}, and of {missing.size} of"
            f" {len(bits)} variables in all. The output may be cut short, that of"
            " another file, or without values; for these RoundingSat wants"
            " --print-sol=1."
        )
    violation = evaluate(program, bits)[1]
    if violation > FEASIBILITY_TOLERANCE:
        raise ValueError(
            f"{path} holds no solution of the program: a row is broken by"
            f" {violation:.3g}. It may be the output of another file."
        )
    return bits


def _check_solved(path: Path, lines: list[tuple[int, list[str]]]) -> None:
    """Refuses an output that does not say, once, that there is a solution."""
    said = [
        (number, " ".join(words[1:])) for number, words in lines if words[:1] == ["s"]
    ]
    if not said:
        raise ValueError(
            f"{path} has no line 's ...' that says how the solver ended: it may have"
            " been ended before its answer, or this is not its output."
        )
    if len(said) > 1:
        raise ValueError(
            f"{path}, line {said[1][0]}: there must be one answer; this is"
            f" {said[1][1]!r}, after {said[0][1]!r}."
        )
    number, status = said[0]
    if status not in _SOLVED:
        raise ValueError(
            f"{path}, line {number}: the solver's answer is {status!r}, without a"
            f" solution; only {' and '.join(map(repr, _SOLVED))} have one."
        )


def _fill(bits: Float[np.ndarray, " T"], literals: list[str], where: str) -> None:
    """Writes the values of one line into the bits."""
    for literal in literals:
        match = _LITERAL.fullmatch(literal)
        if match is None:
            raise ValueError(
                f"{where}: {literal[:60]!r} is no value of a variable; it must be like"
                " x1 or -x1."
            )
        value, variable = 0.0 if match[1] else 1.0, int(match[2])
        if variable > len(bits):
            raise ValueError(
                f"{where}: there is a value of x{variable}, but the program has"
                f" {len(bits)} variables; the output may be that of another file."
            )
        if bits[variable - 1] == 1.0 - value:
            raise ValueError(
                f"{where}: x{variable} is both 0 and 1; all 'v' lines must be one"
                " solution."
            )
        bits[variable - 1] = value

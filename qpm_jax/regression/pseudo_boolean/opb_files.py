"""Pseudo-Boolean programs as OPB files, the format of the PB competition.

Linear programs over variables x1, x2, … that are 0 or 1, minimised, whole coefficients:

    * #variable= 3 #constraint= 2
    min: +3 x1 -2 x2 ;
    +1 x1 +2 x2 -1 x3 >= 1 ;
    +1 x1 +1 x3 = 1 ;

RoundingSat, Exact, SCIP and other solvers read them (`opb_answers` reads what they
answer). A row of the program with two sides is two constraints; one that is bounded
from above is turned round.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from qpm_jax import files
from qpm_jax.solvers import MixedIntegerProgram
from qpm_jax.solvers.whole_coefficients import LARGEST_NUMBER, whole_coefficients

_FACTOR = re.compile(r"\*\s*objective multiplied by\s+(\d+)\s*$")
_TERM = re.compile(r"([+-]?\s*\d+)\s+(~?)x(\d+)(?=\s|$)")
_ROW = re.compile(r"(?P<terms>.*?)(?P<relation>>=|<=|=)\s*(?P<side>[+-]?\s*\d+)\s*")


def write_opb(program: MixedIntegerProgram, path: str | Path) -> None:
    """Writes a program over bits, whole or not at all.

    A fractional objective is multiplied by the least number that makes it whole; a
    comment says by what, and `read_opb` divides by it. Rows of fractions are multiplied
    alike, without a comment: that changes none of their solutions.

    Args:
        program: linear, minimised, every variable whole in 0 … 1.
        path: where to; the usual ending is .opb.

    Raises:
        ValueError: when the program has anything else.
        OSError: when the file cannot be written; an old one is unchanged.
    """
    if program.maximise or not program.is_linear:
        raise ValueError("program must be linear and minimised to be kept as OPB.")
    binary = program.integer & (program.lower == 0) & (program.upper == 1)
    if not binary.all():
        index = int(np.flatnonzero(~binary)[0])
        raise ValueError(
            f"variable {index} of the program is not one of 0 and 1; write it in bits"
            " first (regression.build_pbo does)."
        )
    whole, factor = whole_coefficients(program)
    constraints = _constraints(whole)
    lines = [f"* #variable= {whole.num_variables} #constraint= {len(constraints)}"]
    if factor > 1:
        lines.append(f"* objective multiplied by {factor}")
    used = np.flatnonzero(whole.objective)
    lines.append(f"min: {_terms(used, whole.objective[used])} ;")
    files.write_text(path, "\n".join([*lines, *constraints]) + "\n")


def _constraints(program: MixedIntegerProgram) -> list[str]:
    """One line for each finite side, or for two that are equal."""
    rows = program.rows
    lines = []
    for row, (low, high) in enumerate(
        zip(program.row_lower, program.row_upper, strict=True)
    ):
        places = slice(rows.indptr[row], rows.indptr[row + 1])
        columns, numbers = rows.indices[places], rows.data[places]
        if low == high:
            lines.append(f"{_terms(columns, numbers)} = {int(low)} ;")
            continue
        if np.isfinite(low):
            lines.append(f"{_terms(columns, numbers)} >= {int(low)} ;")
        if np.isfinite(high):
            lines.append(f"{_terms(columns, -numbers)} >= {int(-high)} ;")
    return lines


def _terms(columns: np.ndarray, numbers: np.ndarray) -> str:
    pairs = zip(numbers.astype(np.int64).tolist(), (columns + 1).tolist(), strict=True)
    return " ".join(f"{number:+d} x{column}" for number, column in pairs) or "+0 x1"


def read_opb(path: str | Path) -> MixedIntegerProgram:
    """Reads a linear program from an OPB file.

    Args:
        path: an OPB file. Negated variables (~x1) are taken, and <= for >=.

    Returns:
        The program; a constraint is a row, in the file's order.

    Raises:
        ValueError: for a file that is absent, a line that is not linear OPB, or a
            number that float64 cannot hold: the message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is no file; give the path of an OPB file.")
    factor, announced, statements = _statements(path)
    objective: list[tuple[int, int]] = []
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    lower: list[float] = []
    upper: list[float] = []
    for number, text in statements:
        where = f"{path}, line {number}"
        if text.startswith(("min:", "max:")):
            if text.startswith("max:") or objective or lower:
                raise ValueError(
                    f"{where}: there must be one objective, 'min:', before the"
                    f" constraints; this is {text[:60]!r}."
                )
            objective, shift = _parsed(text[4:], where)
            if shift:
                raise ValueError(
                    f"{where}: an objective of negated variables has a constant, which"
                    " a program has not; write it with plain variables."
                )
            continue
        terms, low, high = _row(text, where)
        for column, coefficient in terms:
            parts[0].append(len(lower))
            parts[1].append(column)
            parts[2].append(coefficient)
        lower.append(low)
        upper.append(high)
    count = max([announced, *(column + 1 for column in parts[1])])
    count = max([count, *(column + 1 for column, _ in objective)])
    costs = np.zeros(count)
    for column, coefficient in objective:
        costs[column] += coefficient / factor
    return _program(costs, parts, lower, upper)


def _statements(path: Path) -> tuple[int, int, list[tuple[int, str]]]:
    """The objective's factor, the variables announced, and what ends in ';'."""
    factor, announced, statements = 1, 0, []
    pending, begun = "", 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if line.startswith("*"):
            header = re.search(r"#variable=\s*(\d+)", line)
            announced = max(announced, int(header[1]) if header else 0)
            scaled = _FACTOR.match(line)
            factor = int(scaled[1]) if scaled else factor
            continue
        *ended, rest = line.split(";")
        for text in ended:
            statements.append((begun or number, f"{pending} {text}".strip()))
            pending, begun = "", 0
        if rest.strip():
            pending, begun = f"{pending} {rest}".strip(), begun or number
    if pending:
        raise ValueError(
            f"{path}, line {begun}: {pending[:60]!r} does not end in ';'; the file may"
            " be cut short."
        )
    return factor, announced, statements


def _row(text: str, where: str) -> tuple[list[tuple[int, int]], float, float]:
    """Terms and sides of a constraint."""
    match = _ROW.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{where}: {text[:60]!r} is no constraint; it must be like '+1 x1 -2 x2 >="
            " 1 ;', with whole numbers."
        )
    terms, shift = _parsed(match["terms"], where)
    whole = int(match["side"].replace(" ", "")) - shift
    _check_exact(f"{where}: the side", whole)
    side = float(whole)
    low = -np.inf if match["relation"] == "<=" else side
    high = np.inf if match["relation"] == ">=" else side
    return terms, low, high


def _parsed(text: str, where: str) -> tuple[list[tuple[int, int]], int]:
    """A term a column, its sum, and what negated variables add to all of them."""
    terms: dict[int, int] = {}
    shift, end = 0, 0
    for match in _TERM.finditer(text):
        if text[end : match.start()].strip():
            break
        end = match.end()
        coefficient, column = int(match[1].replace(" ", "")), int(match[3]) - 1
        if column < 0:
            raise ValueError(f"{where}: variables count from x1; there is an x0.")
        if match[2]:
            shift, coefficient = shift + coefficient, -coefficient
        terms[column] = terms.get(column, 0) + coefficient
    if text[end:].strip():
        raise ValueError(
            f"{where}: {text[end:].strip()[:60]!r} is no linear term; each must be a"
            " whole number and a variable, like '+3 x1'."
        )
    for column, total in terms.items():
        _check_exact(f"{where}: the coefficient of x{column + 1}", total)
    return list(terms.items()), shift


def _check_exact(name: str, number: int) -> None:
    """Refuses what float64 would round, and so silently change."""
    if abs(number) > LARGEST_NUMBER:
        raise ValueError(
            f"{name} is {number}; it must be 2**53 at most in size, beyond which"
            " numbers are not exact."
        )


def _program(
    costs: np.ndarray,
    parts: tuple[list[int], list[int], list[int]],
    lower: list[float],
    upper: list[float],
) -> MixedIntegerProgram:
    rows: Any = scipy.sparse.coo_array(
        (np.array(parts[2], np.float64), (parts[0], parts[1])),
        shape=(len(lower), len(costs)),
    )
    return MixedIntegerProgram(
        objective=costs,
        rows=rows,
        row_lower=np.array(lower),
        row_upper=np.array(upper),
        lower=np.zeros(len(costs)),
        upper=np.ones(len(costs)),
        integer=np.ones(len(costs), bool),
    )

"""Programs as files: .mps and .lp, written here and read through highspy.

HiGHS's own writer keeps 15 digits, drops free rows, makes some fixed columns integer
and, in .lp files, changes the order of columns; what is written here comes back the
same to the last bit.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from qpm_jax import files
from qpm_jax.solvers import lp_text, mps_text
from qpm_jax.solvers.program import MixedIntegerProgram

_TEXTS = {".mps": mps_text.text, ".lp": lp_text.text}
# What readers, HiGHS and SCIP among them, take for zero and for infinite.
_SMALLEST, _LARGEST, _INFINITE = 1e-12, 1e15, 1e20


def write(program: MixedIntegerProgram, path: str | Path) -> None:
    """Writes a linear program, whole or not at all.

    Columns are called c0, c1, … and rows r0, r1, …, in the program's order; a row with
    two sides is two rows in an .lp file, r0lo and r0up.

    Args:
        program: linear; integers are kept.
        path: ends in .mps or .lp.

    Raises:
        ValueError: for another ending, a part that is not linear, or numbers that
            readers of these files change.
        OSError: when the file cannot be written; an old one is unchanged.
    """
    text = _TEXTS[_ending(path)]
    for part in ("quadratic", "indicators", "bilinear"):
        if getattr(program, part) is not None:
            raise ValueError(
                f"the program's {part} part cannot be written: files hold linear"
                " programs only. Write it without that part (dataclasses.replace)."
            )
    if program.num_variables == 0:
        raise ValueError("the program has no variables; there is nothing to write.")
    _check_numbers(program)
    files.write_text(path, text(program))


def read(path: str | Path) -> MixedIntegerProgram:
    """Reads a linear program from an .mps or .lp file.

    Args:
        path: ends in .mps or .lp.

    Returns:
        The program, columns and rows in the file's order; an objective's constant is
        an error, as a program has none. Neighbouring rows of an .lp file that are one
        row with two sides (r0lo and r0up) become one again.

    Raises:
        ValueError: for another ending, a file that is absent or no such program.
    """
    import highspy

    ending = _ending(path)
    if not Path(path).is_file():
        raise ValueError(f"{path} is no file; give the path of an .mps or .lp file.")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("small_matrix_value", _SMALLEST)
    failed = solver.readModel(str(path)) == highspy.HighsStatus.kError
    model = solver.getLp()
    if failed or not model.num_col_:
        raise ValueError(f"{path} is not a readable {ending} file.")
    if model.offset_:
        raise ValueError(
            f"{path} has a constant of {model.offset_} in its objective; take it out."
        )
    if solver.getModel().hessian_.dim_:
        raise ValueError(
            f"{path} has a quadratic objective; only linear ones are read."
        )
    low, high = np.array(model.row_lower_), np.array(model.row_upper_)
    rows = _rows(model)
    if ending == ".lp":
        rows, low, high = _joined(list(model.row_names_), rows, low, high)
    return _program(path, model, rows, low, high)


def _ending(path: str | Path) -> str:
    ending = Path(path).suffix.lower()
    if ending not in _TEXTS:
        raise ValueError(
            f"path ends in {ending!r}; programs are written to and read from"
            f" {' and '.join(_TEXTS)} files."
        )
    return ending


def _check_numbers(program: MixedIntegerProgram) -> None:
    for name, values in (("objective", program.objective), ("rows", program.rows.data)):
        size = np.abs(values)
        wrong = np.flatnonzero(
            ((size > 0) & (size < _SMALLEST) & (name == "rows")) | (size > _LARGEST)
        )
        if wrong.size:
            raise ValueError(
                f"{name} holds {values[wrong[0]]}; readers of these files take sizes"
                f" from {_SMALLEST} to {_LARGEST}. Scale the program."
            )
    for name in ("lower", "upper", "row_lower", "row_upper"):
        values = getattr(program, name)
        wrong = np.flatnonzero(np.isfinite(values) & (np.abs(values) >= _INFINITE))
        if wrong.size:
            raise ValueError(
                f"{name} holds {values[wrong[0]]}, which readers of these files take"
                " for infinite; give inf."
            )


def _rows(model: Any) -> Any:
    import highspy

    matrix = model.a_matrix_
    parts = np.array(matrix.value_), np.array(matrix.index_), np.array(matrix.start_)
    shape = (model.num_row_, model.num_col_)
    by_column = matrix.format_ == highspy.MatrixFormat.kColwise
    form = scipy.sparse.csc_array if by_column else scipy.sparse.csr_array
    return form(parts, shape=shape).tocsr()


def _joined(
    names: list[str], rows: Any, low: np.ndarray, high: np.ndarray
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Puts the two halves of a row with two sides together again."""
    stems = [re.fullmatch(r"(.*)lo", name) for name in names]
    pairs = np.array(
        [
            row
            for row, stem in enumerate(stems[:-1])
            if stem and names[row + 1] == f"{stem[1]}up"
        ],
        np.int64,
    )
    if not pairs.size:
        return rows, low, high
    different = abs(rows[pairs] - rows[pairs + 1])
    same = np.asarray(different.sum(axis=1)).reshape(-1) == 0
    same &= np.isposinf(high[pairs]) & np.isneginf(low[pairs + 1])
    pairs = pairs[same]
    high[pairs] = high[pairs + 1]
    kept = np.setdiff1d(np.arange(len(names)), pairs + 1)
    return rows[kept], low[kept], high[kept]


def _program(
    path: str | Path, model: Any, rows: Any, low: np.ndarray, high: np.ndarray
) -> MixedIntegerProgram:
    import highspy

    kinds = highspy.HighsVarType
    found = list(model.integrality_) or [kinds.kContinuous] * model.num_col_
    if not set(found) <= {kinds.kContinuous, kinds.kInteger}:
        raise ValueError(f"{path} has semi-continuous columns, which are not taken.")
    whole = kinds.kInteger
    return MixedIntegerProgram(
        objective=np.array(model.col_cost_),
        rows=rows,
        row_lower=_infinities(low),
        row_upper=_infinities(high),
        lower=_infinities(np.array(model.col_lower_)),
        upper=_infinities(np.array(model.col_upper_)),
        integer=np.array([kind == whole for kind in found], bool),
        maximise=model.sense_ == highspy.ObjSense.kMaximize,
    )


def _infinities(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) >= _INFINITE, np.copysign(np.inf, values), values)

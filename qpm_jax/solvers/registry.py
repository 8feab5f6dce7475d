"""Which solvers there are, whether they are installed and what their licence allows."""

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class SolverInfo:
    """One line of the table of solvers.

    Attributes:
        name: what `solvers.solve` calls it.
        package: what pip calls it.
        version: of the installed package, "" where it is missing.
        licence: "full", "limited" (a size limit) or "missing" (not installed).
        takes: parts of a program beyond linear rows and integers.
        features: what else it can do.
        note: what the licence asks or limits, in words, and what programs must be like;
            how to install the package where it is missing.
    """

    name: str
    package: str
    version: str
    licence: str
    takes: tuple[str, ...]
    features: tuple[str, ...]
    note: str = ""


_COMMON = ("time_limit", "gap", "threads", "seed", "warm_start", "progress")
_ALL = ("quadratic", "indicators", "bilinear")

_SERIAL = tuple(name for name in _COMMON if name != "threads")

# Each as it is where its package is missing.
SOLVERS = {
    "highs": SolverInfo(
        "highs", "highspy", "", "missing", (), _COMMON, "pip install highspy"
    ),
    "scip": SolverInfo(
        "scip", "pyscipopt", "", "missing", _ALL, _COMMON, "pip install pyscipopt"
    ),
    "gurobi": SolverInfo(
        "gurobi", "gurobipy", "", "missing", _ALL, _COMMON, "pip install gurobipy"
    ),
    "exact": SolverInfo(
        "exact",
        "exact",
        "",
        "missing",
        (),
        _SERIAL,
        'pip install "qpm-jax[exact]" (its licence is AGPL-3.0)',
    ),
}


def available() -> tuple[SolverInfo, ...]:
    """The table of solvers: name, version, licence and what each can take.

    Returns:
        One `SolverInfo` for every solver known, installed or not.
    """
    return tuple(_inspect(info) for info in SOLVERS.values())


def check_installed(solver: str) -> None:
    """Refuses a solver whose package is missing.

    Args:
        solver: one of `SOLVERS`.

    Raises:
        ValueError: says how to install it.
    """
    info = SOLVERS[solver]
    if importlib.util.find_spec(info.package) is None:
        raise ValueError(
            f"solver={solver!r} needs the package {info.package}, which is not"
            f" installed: {info.note}."
        )


def _inspect(info: SolverInfo) -> SolverInfo:
    if importlib.util.find_spec(info.package) is None:
        return info
    version = importlib.metadata.version(info.package)
    solver = importlib.import_module(f"qpm_jax.solvers.{info.name}")
    licence, note = solver.licence()
    return replace(info, version=version, licence=licence, note=note)

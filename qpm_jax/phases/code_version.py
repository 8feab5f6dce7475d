"""Which code made a run: the commit where the package lies in a git checkout."""

import subprocess
from pathlib import Path

from qpm_jax.version import __version__


def code_version(package: Path = Path(__file__).parents[1]) -> str:
    """Returns such as `0.1.0, commit 1f2e3d4c5b6a`; `+` where files were changed.

    Args:
      package: Folder of the package; its version alone where git does not know it.
    """
    # An installed package may lie in somebody else's checkout: it is not tracked there.
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return __version__
    commit = _git(package, "rev-parse", "--short=12", "HEAD")
    if not commit:
        return __version__
    changed = _git(package, "status", "--porcelain", "--untracked-files=no", ".")
    return f"{__version__}, commit {commit}{'+' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str | None:
    """Returns what git says; None where it fails or is missing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

"""The code that made a run: its version, and its commit where there is one."""

import subprocess

from qpm_jax.phases.code_version import code_version
from qpm_jax.version import __version__


def test_outside_a_checkout_the_version_alone_is_known(tmp_path):
    assert code_version(tmp_path) == __version__
    assert code_version(tmp_path / "missing") == __version__


def test_in_a_checkout_commit_and_changes_are_named(tmp_path):
    def git(*arguments):
        who = (
            "-c",
            "user.name=n",
            "-c",
            "user.email=e@e",
            "-c",
            "commit.gpgsign=false",
        )
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True)

    git("init", "-q")
    file = tmp_path / "__init__.py"
    file.write_text("")
    assert code_version(tmp_path) == __version__
    git("add", "__init__.py")
    assert code_version(tmp_path) == __version__
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "--short=12", "HEAD").stdout.strip()
    assert code_version(tmp_path) == f"{__version__}, commit {commit}"
    file.write_text("changed = 1")
    assert code_version(tmp_path) == f"{__version__}, commit {commit}+"

#!/bin/sh
# Builds the wheel, installs it into an environment of its own and runs the tests from a
# folder that holds nothing but the tests. Arguments go to pytest.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=$(command -v "${PYTHON:-python3}")
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
"$python" -m build --wheel --outdir "$outside" "$root"
"$python" -m venv "$outside/venv"
"$outside/venv/bin/python" -m pip install --quiet --requirement "$root/requirements.lock"
"$outside/venv/bin/python" -m pip install --quiet --no-deps "$outside"/*.whl
cp -r "$root/tests" "$root/pyproject.toml" "$outside"
QPM_JAX_SHARED=${QPM_JAX_SHARED:-$root/../shared}
export QPM_JAX_SHARED
cd "$outside"
venv/bin/python -m pytest -q "$@"

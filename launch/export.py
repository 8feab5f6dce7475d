"""Writes a trained run for other tools: safetensors, PyTorch or StableHLO.

python -m launch.export --workdir=runs/birds --to=safetensors --out=birds-qpm
"""

from pathlib import Path

from absl import flags

import qpm_jax
from launch import app
from qpm_jax import export

FORMS = {
    "safetensors": export.save_folder,
    "torch": export.save_torch,
    "stablehlo": export.save_stablehlo,
}
TO = flags.DEFINE_enum("to", "safetensors", list(FORMS), "Form to write.")
OUT = flags.DEFINE_string(
    "out", None, "Folder to write (safetensors), or file (torch, stablehlo)."
)


def main() -> None:
    """Writes the run and says where."""
    assert OUT.value is not None  # it is required
    out = Path(OUT.value)
    if TO.value == "safetensors" and out.is_file():
        raise ValueError(f"--out={out} is a file; --to=safetensors writes a folder.")
    if TO.value != "safetensors" and out.is_dir():
        raise ValueError(f"--out={out} is a folder; --to={TO.value} writes a file.")
    FORMS[TO.value](qpm_jax.load(app.workdir()), OUT.value)
    print(f"Written: {OUT.value}")


if __name__ == "__main__":
    flags.mark_flags_as_required(["workdir", "out"])
    app.run(main)

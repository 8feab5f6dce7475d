"""A trained run as one StableHLO program that needs neither Flax nor this package.

The weights and the normalisation lie inside; what goes in are photos.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
from jax import export
from jaxtyping import Array, Float, UInt8

from qpm_jax import files
from qpm_jax.phases.forward import infer
from qpm_jax.run import Run

PLATFORMS = ("cpu", "cuda", "tpu")


def serialise(run: Run) -> bytes:
    """Turns a run's network into a serialised program.

    Args:
      run: a finished run.

    Returns:
      What `jax.export.deserialize` reads: uint8 images [N, height, width, 3] of the
      run's size, any N, to (logits [N, C], normalised features [N, n], maps
      [N, H, W, n]), on CPUs, CUDA and TPUs.
    """
    variables = jax.tree.map(jnp.asarray, run.variables)

    def answer(
        images: UInt8[Array, "N h w 3"],
    ) -> tuple[Float[Array, "N C"], Float[Array, "N n"], Float[Array, "N H W n"]]:
        return infer(run.network, run.input_mean, run.input_std, variables, images)

    (count,) = export.symbolic_shape("N")
    images = jax.ShapeDtypeStruct((count, *run.image_size, 3), jnp.uint8)
    exported = export.export(jax.jit(answer), platforms=PLATFORMS)(images)
    return bytes(exported.serialize())


def save_stablehlo(run: Run, path: str | Path) -> None:
    """Writes the program of `serialise`.

    Args:
      run: a finished run.
      path: the file to write.
    """
    files.write_bytes(path, serialise(run))

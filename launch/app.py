"""What every launcher shares: flags, signals, logging, and errors to act on.

SIGTERM and SIGUSR1, which schedulers send before they kill, end a run in order:
training writes a checkpoint first. The same command then goes on.
"""

import atexit
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from absl import app, flags
from absl import logging as absl_logging
from ml_collections import ConfigDict, config_flags

from launch import cluster, dataset_options
from launch.host_memory import keep_freed_memory
from qpm_jax import stopping
from qpm_jax.checkpoints import full_disk_error
from qpm_jax.config import default, from_dict
from qpm_jax.config_keys import flatten, unknown_key_message

WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run: checkpoints, logs, results."
)
DEBUG_NANS = flags.DEFINE_bool(
    "debug_nans",
    False,
    "Ends at the operation that makes a NaN, with its traceback; every operation is "
    "then waited for, so training is slow.",
)
DETERMINISTIC = flags.DEFINE_bool(
    "deterministic",
    False,
    "Lets GPUs use only operations that give the same bits every time; slower. CPUs "
    "and TPUs do so anyway.",
)
STOPPED_STATUS = flags.DEFINE_integer(
    "stopped_status",
    0,
    "Exit status of a run that ended because SIGTERM or SIGUSR1 came.",
    lower_bound=0,
    upper_bound=255,
)


def workdir() -> str:
    """Returns the work directory of the command line, which is required."""
    assert WORKDIR.value is not None
    return WORKDIR.value


def run_phase(phase: Callable[[ConfigDict, str], None]) -> None:
    """Runs a phase of QPM with `--config` and `--workdir` from the command line."""
    try:
        arguments, options = dataset_options.split(sys.argv)
    except ValueError as error:
        stop(f"Error: {error}")
    sys.argv = arguments  # ml_collections looks for changed keys there

    def checked(values: dict[str, Any]) -> ConfigDict:
        values["dataset"]["options"] |= options
        return from_dict(values)

    def joined(config: ConfigDict, folder: str) -> None:
        from qpm_jax.training.agreement import leave_if_asked

        cluster.join()
        phase(config, folder)
        leave_if_asked()  # a script must not go on to the next phase

    run_configured(joined, default(), checked)


def run_configured(
    action: Callable[[ConfigDict, str], None],
    defaults: ConfigDict,
    checked: Callable[[dict[str, Any]], ConfigDict],
) -> None:
    """Runs what a configuration file describes.

    Args:
        action: called with the configuration and the work directory.
        defaults: every key there is; others on the command line are refused.
        checked: turns the values of the file and the command line into a
            configuration, or raises a `ValueError`.
    """
    _refuse_unknown_keys(sys.argv, list(flatten(defaults)))
    config = config_flags.DEFINE_config_file(
        "config", None, "File in configs/; --config.KEY=VALUE changes single keys."
    )
    flags.mark_flags_as_required(["config", "workdir"])
    run(lambda: action(checked(config.value.to_dict()), workdir()))


def run(action: Callable[[], None]) -> None:
    """Parses the flags, runs `action` and turns expected failures into one message."""

    def main(arguments: list[str]) -> None:
        if len(arguments) > 1:
            raise app.UsageError(f"unexpected arguments: {' '.join(arguments[1:])}")
        _set_up_logging()
        keep_freed_memory()
        _set_up_numbers()
        try:
            stopping.listen()
            action()
        except stopping.Stopped as stopped:
            words = f"Stopped: {stopped} The same command goes on from what was kept."
            leave(words, STOPPED_STATUS.value)
        except KeyboardInterrupt:
            leave("Interrupted. The same command goes on from what was kept.", 130)
        except (ValueError, FloatingPointError) as error:
            if DEBUG_NANS.value and isinstance(error, FloatingPointError):
                raise  # its traceback leads to the operation
            stop(f"Error: {error}")
        except OSError as error:
            if full_disk_error(error) is None:
                raise
            stop(
                f"Error: no space left to write {error.filename or 'a file'} "
                f"({error.strerror}). What was written before is whole: free some "
                "space and run the same command again, it goes on from there.",
            )

    app.run(main)


def _set_up_numbers() -> None:
    """Passes on to JAX what the flags say of numbers, before it looks for devices."""
    if DETERMINISTIC.value:
        given = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{given} --xla_gpu_deterministic_ops=true".strip()
    if DEBUG_NANS.value:
        import jax

        jax.config.update("jax_debug_nans", True)


def _set_up_logging() -> None:
    """Shows our lines in files and pipes; a terminal has progress bars instead."""
    absl_logging.set_verbosity(absl_logging.WARNING)  # Orbax tells of every save
    # Each of Orbax's writers would report the same failed write; we say it once.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    absl_logging.get_absl_logger().addFilter(_is_no_full_disk)
    ours = logging.getLogger("qpm_jax")
    ours.setLevel(logging.WARNING if sys.stderr.isatty() else logging.INFO)
    ours.propagate = False
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    ours.addHandler(handler)


def _is_no_full_disk(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return error is None or full_disk_error(error) is None


def _refuse_unknown_keys(arguments: list[str], known: list[str]) -> None:
    """Names a configuration key that does not exist, and the nearest that do."""
    for argument in arguments[1:]:
        if not argument.lstrip("-").startswith("config."):
            continue
        name = argument.lstrip("-").removeprefix("config.").split("=")[0]
        if name not in known:
            stop(f"Error: {unknown_key_message(name, known)}")


def stop(message: str, code: int = 1) -> NoReturn:
    """Ends the command with a message on standard error and this exit status."""
    print(message, file=sys.stderr)
    sys.exit(code)


def leave(message: str, code: int) -> NoReturn:
    """Ends a command that a signal interrupted, as `stop` does.

    The signal may have come in the midst of tracing or compiling. What JAX holds half
    made then can crash when it is freed with the interpreter, so that is left out.
    """
    print(message, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

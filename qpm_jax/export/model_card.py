"""The text that travels with a model: what it is, how good it is, how to read it."""

from ml_collections import ConfigDict

from qpm_jax.export.origin import cropped, dataset_name, pretrained
from qpm_jax.phases import evaluate
from qpm_jax.phases import workdir as folders
from qpm_jax.run import Run
from qpm_jax.version import __version__

_FRONT = """\
---
library_name: qpm_jax
pipeline_tag: image-classification
tags:
- image-classification
- interpretability
- qpm
- jax
---
"""
_CROPPED = ", of photos cut to the object's bounding box: on whole ones it loses much"


def model_card(run: Run) -> str:
    """Returns the README.md of an exported run, in Markdown.

    Args:
      run: a finished run; with metrics where it was evaluated.
    """
    config = folders.read_config(run.workdir)
    height, width = run.image_size
    per_class = run.assignment.sum(axis=1).mean()
    return f"""{_FRONT}
# QPM on {dataset_name(run)}

An image classifier that a person can read: {len(run.class_names)} classes, each the sum
of {per_class:g} of {len(run.selected)} features
([QPM](https://arxiv.org/abs/2502.20130)), written by qpm_jax {__version__}.

| | |
| --- | --- |
| backbone | `{config.model.name}`{_options(config.model)} |
| input | {height}×{width} pixels, RGB, "{run.fit}"{_CROPPED if cropped(run) else ""} |
| normalisation of [0, 1] | mean {_listed(run.input_mean)}, std \
{_listed(run.input_std)} |
| classes | {_shortened(run.class_names)} |
| began with | {pretrained(config.model) or "random weights"} |

## Metrics

{_metrics(run)}

{_use(height, width)}"""


def _use(height: int, width: int) -> str:
    return f"""\
## Use

```python
from qpm_jax import export

network, variables, description = export.from_folder(".")
logits, features, maps = network.apply(variables, images)
```

`images` [N, {height}, {width}, 3] are normalised as above. `model.safetensors` holds
the backbone and the head: `linear.selection` (channels kept), `linear.mean`,
`linear.std`, and `linear.layer.weight` (classes × features, the assignment). A class
score is the sum of (feature − mean)/std over its features.
"""


def _options(model: ConfigDict) -> str:
    named = ("reduced_strides", "unbounded_maps")
    return "".join(f", {name.replace('_', ' ')}" for name in named if model[name])


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)


def _shortened(names: tuple[str, ...], limit: int = 10) -> str:
    rest = f", … ({len(names)} in all)" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest


def _metrics(run: Run) -> str:
    if not folders.is_done(run.workdir, "evaluate"):
        return "Not measured: the run was exported before its evaluation."
    measured = evaluate.read_metrics(run.workdir)
    rows = [
        f"| {metric.label} | {_shown(name, measured['dense'])} |"
        f" {_shown(name, measured['qpm'])} | {metric.meaning} |"
        for name, metric in evaluate.METRICS.items()
        if measured["qpm"].get(name) is not None
    ]
    head = (
        "| metric | dense network | this model | meaning |\n| --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def _shown(name: str, values: dict[str, float | None]) -> str:
    return evaluate.format_metric(name, values.get(name))

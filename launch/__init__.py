"""Command lines: flags in, one library call, files out.

`python -m launch.pipeline --config=configs/birds.py --workdir=runs/birds` runs every
phase that is not done; `launch.dense`, `launch.statistics`, `launch.assign`,
`launch.finetune`, `launch.evaluate` and `launch.explain` run one each.
"""

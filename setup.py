from setuptools import setup

# All metadata is in pyproject.toml; this file serves tools that still ask for it.
setup()

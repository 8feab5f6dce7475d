"""The experiments with networks: settings, data, runs, baselines."""

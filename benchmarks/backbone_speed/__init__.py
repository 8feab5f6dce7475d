"""The dense training step and the statistics pass beside PyTorch's, in one run."""

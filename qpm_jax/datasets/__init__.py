"""Data sets by name, batches, augmentation and the built-in set."""

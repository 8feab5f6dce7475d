"""The paper's iterative scheme, and its search for the redundancy threshold."""

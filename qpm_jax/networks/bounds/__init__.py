"""What no network can beat, and how large its pre-activations can be."""

"""Pictures of ternary models and of what experiments gave, as PNG files."""

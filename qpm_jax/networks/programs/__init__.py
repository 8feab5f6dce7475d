"""Networks as mixed-integer programs: variables, rows, and back to networks."""

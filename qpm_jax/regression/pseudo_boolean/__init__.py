"""The model in bits, the files and the solver of pseudo-Boolean optimisation."""

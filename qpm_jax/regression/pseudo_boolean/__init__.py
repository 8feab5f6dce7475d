"""The model in bits and the files of pseudo-Boolean optimisation."""

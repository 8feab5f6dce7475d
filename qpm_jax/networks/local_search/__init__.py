"""Better networks, most of one held while a solver improves the rest."""

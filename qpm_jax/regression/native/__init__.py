"""The native solver: prices, search, relax and fix, and a proof."""

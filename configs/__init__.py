"""One file a run: what it trains, on what, how."""

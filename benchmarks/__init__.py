"""Where the speed figures of the documentation come from, one command each."""

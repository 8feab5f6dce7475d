"""The phases of a run, each resumable alone, and the pipeline of all of them."""

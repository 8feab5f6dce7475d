"""The published experiments: settings, runs, records, tables and pictures of them."""

"""The native solver: search on the device, refinement on the host, and bounds."""

"""The HTTP source: an xAPI endpoint for statements, and the daemon's probes and metrics."""

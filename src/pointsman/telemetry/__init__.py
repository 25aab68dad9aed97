"""What a person sees of the daemon: metrics and log lines. The stages know nothing of it."""

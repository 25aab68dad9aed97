"""The demo: the whole way, from players and Kafka to the platform, watched and then checked."""

"""HTTP requests that go out: one client, with its proxy and its certificates, for whoever asks."""

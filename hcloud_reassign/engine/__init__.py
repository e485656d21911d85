"""The shell around the pure parts: observes, carries out, keeps time, verifies and writes down."""

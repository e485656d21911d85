"""The terminal UI: who holds what, and moving it by hand."""

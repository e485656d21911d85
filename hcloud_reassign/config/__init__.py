"""The configuration file: where it is, what it says, and where secrets come from. Imports only core."""

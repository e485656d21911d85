"""The pure heart: what moving means, without input or output. Imports nothing but the standard library."""

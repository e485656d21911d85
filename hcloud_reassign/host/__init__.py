"""The border to the machine this program runs on."""

"""The border to the vendor: steps in, frozen facts or the step error tree out."""

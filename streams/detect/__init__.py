"""Sigma: rules loaded, compiled exactly or refused with their place, matched against batches of events."""

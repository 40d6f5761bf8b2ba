"""Replicates, splits, search spaces, statistics and verdicts; and the studies that are made of them."""

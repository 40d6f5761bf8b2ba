"""Specifications, hyperparameters, stacking, keys and errors: what every other room stands on."""

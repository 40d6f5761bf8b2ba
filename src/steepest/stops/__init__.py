"""Stopping rules, each acting on one member. Importing this needs no JAX."""

from steepest.core.registry import Registry

STOPS = Registry(
    "stopping rule",
    {
        "reached": "steepest.stops.rules:Reached",
        "no-gain": "steepest.stops.rules:NoGain",
    },
)

__all__ = ["STOPS"]

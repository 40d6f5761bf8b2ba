"""Comparisons with torch and Keras: `make parity`, in float64, in a process and an environment of their own."""

import os

os.environ["KERAS_BACKEND"] = "torch"  # before anything imports keras

import jax

jax.config.update("jax_enable_x64", True)

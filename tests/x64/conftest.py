"""Everything below needs float64, so it runs in a process of its own: `pytest tests/x64`."""

import jax

jax.config.update("jax_enable_x64", True)

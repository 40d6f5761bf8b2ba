"""The matrix product that models are made of: in full, or with both factors rounded to bfloat16.

Which of the two is JAX's own setting `jax_default_matmul_precision`, which is part of every compiled program's key;
`train/cache.py` (`precision`) sets it to what a recipe says. XLA on the CPU takes that setting and computes in float32
all the same, so what it asks for is written out here.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Array = Any

ROUNDED = "bfloat16"  # of jax_default_matmul_precision
ROWS_COLUMNS = "ij,jk->ik"


def product(a: Array, b: Array) -> Array:
    """a @ b: [m, k], [k, n] → [m, n].

    **Rounded** both factors go to bfloat16 (8 significant bits, the exponents of float32) and their products are summed
    in float32. So do the products of the derivatives, forward and backward; what comes out is float32 everywhere.
    Factors in float64 stay as they are.
    **Differs** from torch's autocast, which rounds what comes out, too, gradients of the weights among it.

    >>> a, b = jnp.full((1, 2), 1.0), jnp.full((2, 1), 1.001)
    >>> with jax.default_matmul_precision("bfloat16"):
    ...     float(product(a, b)[0, 0])
    2.0
    """
    if rounding() and a.dtype == b.dtype == jnp.float32:
        return rounded_p.bind(a, b, letters=ROWS_COLUMNS)
    return a @ b


def rounding() -> bool:
    """Whether products are being rounded where this is traced."""
    return jax.config.jax_default_matmul_precision == ROUNDED  # pyright: ignore[reportAttributeAccessIssue] - made when jax is imported


def _rounded(a: Array, b: Array, *, letters: str) -> Array:
    a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    return jnp.einsum(letters, a, b, precision=jax.lax.Precision.DEFAULT, preferred_element_type=jnp.float32)


def _rounded_on_a_cpu(a: Array, b: Array, *, letters: str) -> Array:
    """The same in float32, which holds each product of two bfloat16: XLA's CPU lacks such sums for some layouts."""
    a, b = (jax.lax.reduce_precision(factor, exponent_bits=8, mantissa_bits=7) for factor in (a, b))
    return jnp.einsum(letters, a, b, precision=jax.lax.Precision.DEFAULT)


def _split(letters: str) -> tuple[str, str, str]:
    factors, out = letters.split("->")
    a, b = factors.split(",")
    return a, b, out


def _shape(a: Array, b: Array, *, letters: str) -> Any:
    of_a, of_b, out = _split(letters)
    lengths = dict(zip(of_a + of_b, a.shape + b.shape))
    return ShapedArray(tuple(lengths[letter] for letter in out), jnp.dtype(jnp.float32))


def _back_to_a(change: Array, a: Array, b: Array, *, letters: str) -> Array:
    del a
    of_a, of_b, out = _split(letters)
    return rounded_p.bind(change, b, letters=f"{out},{of_b}->{of_a}")


def _back_to_b(change: Array, a: Array, b: Array, *, letters: str) -> Array:
    del b
    of_a, of_b, out = _split(letters)
    return rounded_p.bind(a, change, letters=f"{of_a},{out}->{of_b}")


def _batched(args: tuple[Array, Array], axes: tuple[int | None, int | None], *, letters: str) -> tuple[Array, int]:
    """The same product of many, in which an axis more has a letter more; what all share stays as it is."""
    new = chr(ord(max(letters.replace("->", ""))) + 1)
    named = list(_split(letters)[:2])
    for place, axis in enumerate(axes):
        if axis is not None:
            named[place] = named[place][:axis] + new + named[place][axis:]
    return rounded_p.bind(*args, letters=f"{','.join(named)}->{new}{_split(letters)[2]}"), 0


rounded_p = Primitive("rounded_product")
rounded_p.def_impl(jax.jit(rounded_p.bind, static_argnames="letters"))
rounded_p.def_abstract_eval(_shape)
ad.defbilinear(rounded_p, _back_to_a, _back_to_b)
batching.primitive_batchers[rounded_p] = _batched
mlir.register_lowering(rounded_p, mlir.lower_fun(_rounded, multiple_results=False))
mlir.register_lowering(rounded_p, mlir.lower_fun(_rounded_on_a_cpu, multiple_results=False), platform="cpu")

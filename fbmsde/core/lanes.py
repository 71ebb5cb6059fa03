"""Short vectors of floats that lie side by side in the processor, `WIDTH` at a time, for kernels that name them.

A loop that gathers from many rows of one array cannot be made vector code by the compiler, which must assume that the
rows overlap. Here a kernel loads a vector, computes with it by ``+``, ``-``, ``*`` and `multiply_add`, and stores it.
Each lane is rounded by itself, so that the numbers are the same to the bit whatever the width of the machine's vectors.
Without the compiler a vector is a NumPy array of `WIDTH` numbers.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model

from .types import AnyArray

WIDTH = 8  # numbers of a vector: one register of 512 bits of float64, or two of 256, or four of 128


class _Lanes(types.Type):
    """The compiled type of a vector of `WIDTH` floats."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    """A vector is one value of LLVM."""

    def __init__(self, dmm: Any, fe_type: _Lanes) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(dmm.lookup(fe_type.dtype).get_value_type(), WIDTH))


def load(values: AnyArray, start: int) -> AnyArray:
    """The vector of `values` (n,) that begins at `start`."""
    return values[start : start + WIDTH].copy()


def store(values: AnyArray, start: int, lanes: AnyArray) -> None:
    """Write the vector to `values` (n,) from `start` on."""
    values[start : start + WIDTH] = lanes


def splat(value: float) -> Any:
    """The vector that has the same value in each lane."""
    return value


def transposed(rows: tuple[AnyArray, ...]) -> tuple[AnyArray, ...]:
    """The columns of the square matrix whose rows are these `WIDTH` vectors."""
    return tuple(np.stack(rows).T)


def total(lanes: Any) -> float:
    """The sum of the numbers of a vector, halves added to each other until one number is left."""
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    return lanes[0]


def _place(context: Any, builder: Any, array_type: Any, array: Any, start: Any) -> Any:
    """The address of a vector within an array."""
    data = context.make_array(array_type)(context, builder, array).data
    element = context.get_value_type(array_type.dtype)
    return builder.bitcast(builder.gep(data, [start]), ir.VectorType(element, WIDTH).as_pointer())


@intrinsic
def _load(typing_context: Any, values: Any, start: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, values, *arguments)
        return builder.load(place, align=values.dtype.bitwidth // 8)

    return _Lanes(values.dtype)(values, types.intp), emit


@intrinsic
def _store(typing_context: Any, values: Any, start: Any, lanes: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, values, *arguments[:2])
        builder.store(arguments[2], place, align=values.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(values, types.intp, lanes), emit


@intrinsic
def _splat(typing_context: Any, value: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(context.get_value_type(value), WIDTH)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)

    return _Lanes(value)(value), emit


@intrinsic
def _transposed(typing_context: Any, rows: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        index = ir.VectorType(ir.IntType(32), WIDTH)
        mixed = [i // 2 + WIDTH * (i % 2) for i in range(2 * WIDTH)]
        halves = ir.Constant(index, mixed[:WIDTH]), ir.Constant(index, mixed[WIDTH:])
        vectors = [builder.extract_value(arguments[0], i) for i in range(WIDTH)]
        for _ in range(WIDTH.bit_length() - 1):  # each time the numbers of vectors i and i + WIDTH / 2 are interleaved
            pairs = zip(vectors[: WIDTH // 2], vectors[WIDTH // 2 :], strict=True)
            vectors = [builder.shuffle_vector(a, b, half) for a, b in pairs for half in halves]
        return context.make_tuple(builder, signature.return_type, vectors)

    return rows(rows), emit


@intrinsic
def _total(typing_context: Any, lanes: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, half = arguments[0], WIDTH // 2
        while half > 0:
            index = ir.VectorType(ir.IntType(32), half)
            parts = [ir.Constant(index, list(range(first, first + half))) for first in (0, half)]
            low, high = (builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), part) for part in parts)
            vector, half = builder.fadd(low, high), half // 2
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return lanes.dtype(lanes), emit


def _arithmetic(name: str) -> Any:
    """An intrinsic for two vectors of one type, by the instruction of LLVM of that name."""

    @intrinsic
    def compute(typing_context: Any, a: Any, b: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments)

        return a(a, b), emit

    return compute


@intrinsic
def _negative(typing_context: Any, a: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fneg(arguments[0])

    return a(a), emit


_add, _subtract, _multiply = _arithmetic("fadd"), _arithmetic("fsub"), _arithmetic("fmul")


@overload(load, strict=False)
def _compiled_load(values: Any, start: Any) -> Any:
    return lambda values, start: _load(values, start)


@overload(store, strict=False)
def _compiled_store(values: Any, start: Any, lanes: Any) -> Any:
    return lambda values, start, lanes: _store(values, start, lanes)


@overload(splat, strict=False)
def _compiled_splat(value: Any) -> Any:
    return lambda value: _splat(value)


@overload(total, strict=False)
def _compiled_total(lanes: Any) -> Any:
    return lambda lanes: _total(lanes)


@overload(transposed, strict=False)
def _compiled_transposed(rows: Any) -> Any:
    return lambda rows: _transposed(rows)


@overload(operator.add, strict=False)
def _compiled_add(a: Any, b: Any) -> Any:
    return (lambda a, b: _add(a, b)) if isinstance(a, _Lanes) and a == b else None


@overload(operator.sub, strict=False)
def _compiled_sub(a: Any, b: Any) -> Any:
    return (lambda a, b: _subtract(a, b)) if isinstance(a, _Lanes) and a == b else None


@overload(operator.mul, strict=False)
def _compiled_mul(a: Any, b: Any) -> Any:
    return (lambda a, b: _multiply(a, b)) if isinstance(a, _Lanes) and a == b else None


@overload(operator.neg, strict=False)
def _compiled_neg(a: Any) -> Any:
    return (lambda a: _negative(a)) if isinstance(a, _Lanes) else None

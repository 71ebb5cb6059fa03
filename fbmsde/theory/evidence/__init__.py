"""The computations that derive the stated errors of the formulas again, without the compiler and without the formulas.

Each takes the function that evaluates a formula and compares it with a quadrature, an operator, another derivation or
exact paths of a fixed seed.
"""

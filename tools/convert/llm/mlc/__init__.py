"""MLC directories: int4 weights, a library compiled by TVM, and what describes them."""

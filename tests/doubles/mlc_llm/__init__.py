"""A double of mlc_llm: importing it loads a TVM and adds functions to it; the TVM is the apache-tvm installed here."""

import tvm

__version__ = "0.20.0"

# What libraries compiled by mlc_llm may call; the real package registers many from libmlc_llm.so.
tvm.register_global_func("mlc.double.is_here", lambda: 1, override=True)

"""Models in MLC's form: a directory of int4 weights and a library compiled by TVM for one kind of machine."""

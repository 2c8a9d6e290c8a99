"""The language model in the form that epsilon/runtimes/onnx.py runs."""

"""A double of rknn-toolkit-lite2: the API of version 2.5.0 and its ways to fail, computed by onnxruntime."""

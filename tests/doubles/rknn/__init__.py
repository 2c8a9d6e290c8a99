"""A double of rknn-toolkit2: the API of version 2.5.0; its simulator is onnxruntime in float32."""

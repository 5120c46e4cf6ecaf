"""A model file goes in; findings, a signature, an artifact that we run, and its proof come out.

Formats are recognised by content. Nothing here executes a model's own code in this process: what
needs a framework happens in a host (`isolation`), and even ONNX is first opened in a child.
"""

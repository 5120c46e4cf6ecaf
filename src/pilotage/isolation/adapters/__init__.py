"""A model file and its framework go in; an ONNX file, its columns and its proof come out.

One framework a file, loaded only inside a host. Nothing here trusts the file, and the process
that asked never imports this package.
"""

"""What is spoken over HTTP with a model: the Open Inference Protocol v2, and Triton's generate.

Bodies go in and decoded requests come out; arrays go in and bodies come out, or a refusal.
Nothing here reads a socket, a clock or chance, and nothing here runs a model.
"""

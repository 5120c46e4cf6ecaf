"""What executes a step. An artifact and settings go in; tensors go through; errors are values.

One engine a file; `engine` says what each must be, `loading` which exist.
"""

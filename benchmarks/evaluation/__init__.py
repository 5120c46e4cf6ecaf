"""What evaluating a model costs: seconds and memory, beside doing it by hand."""

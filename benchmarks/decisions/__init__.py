"""The error rates and speeds of decisions, ours and the peers', on the same simulated streams."""

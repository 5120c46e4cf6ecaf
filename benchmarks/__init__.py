"""Our server and the peers beside it, measured on this machine: in go models and requests, out
come numbers, ratios and a table in `results/`. Everything runs on 127.0.0.1, bounded in time;
nothing here is imported by the product."""

"""How fast events are delivered, beside a loop that promises nothing; ``python3 -m benchmarks.ingress``."""

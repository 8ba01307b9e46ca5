"""workflow-server: HTTP API, operator page and app actions; the only package that may import bootstrap."""

"""Worker-safe runtime: definition, expressions, machine, contract, actions, errors. No I/O, no effect on import."""

"""workflow-worker: owns authored execution; polls ``workflow-runtime-v2`` and reads the workflow event stream."""

"""The inner half of the run witness: imports an image's modules and notes what that did. Recorder process."""

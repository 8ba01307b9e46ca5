"""The run witness's inner half: imports an image's modules and writes down what that did. Runs in a process of its own."""

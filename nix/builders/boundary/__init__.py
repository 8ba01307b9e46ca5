"""The import boundary: proves that an image's code stays inside its declared closure. Build process."""

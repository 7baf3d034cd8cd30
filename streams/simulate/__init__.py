"""A county council that writes logs in real formats, with planted incidents and benign look-alikes."""

"""The embedded shell: sources followed, durable positions and state, the loop around the pure middle."""

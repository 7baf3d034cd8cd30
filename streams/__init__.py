"""outfall: watches personal data leave an organisation while it happens.

The rooms stand in the order in which a record passes them: `normalise`, `enrich`, `detect`, `correlate`.
`pipeline` is the whole pure middle on one screen; `runtime` and `sinks` are the shell around it.
"""

"""Where alerts go: the SQLite store and a file of JSON lines."""

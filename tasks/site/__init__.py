"""The catalogue over HTTP: read-only, on loopback unless told otherwise, nothing but what was published."""

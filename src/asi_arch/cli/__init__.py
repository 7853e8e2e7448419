"""Commands. Each module imports what it needs when it is called, so that `asi-arch --help` is there at once."""

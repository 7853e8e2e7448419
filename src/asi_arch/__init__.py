"""asi-arch: software that does neural-architecture research by itself."""

__version__ = "0.1.0"

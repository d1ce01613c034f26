"""Where networks get their data from, and where they leave it."""

from . import extractor, injector, sink, source, utils  # noqa: F401

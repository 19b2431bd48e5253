"""The checks, by topic. Each module registers its own when it is imported."""

from . import bad_requests, clients  # noqa: F401

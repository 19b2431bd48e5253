"""The checks, by topic. Each module registers its own when it is imported."""

from . import (bad_requests, bodies, budgets, certificates, clients, dns, ends, http2, names, origins,  # noqa: F401
               ports, secrets, special, tls, websockets)

"""The platform emulator: a GraphQL server that answers, charges and refuses as the platform does.

It knows nothing of the daemon, so that integrators can test against it, and
the daemon's own tests can't agree with it by accident. `Emulator` is the whole platform without
sockets; `server` puts it on HTTP.
"""

from pointsman.emulator.catalogue import Catalogue, builtin_catalogue, load_catalogue
from pointsman.emulator.emulator import Emulator
from pointsman.emulator.responses import HttpReply

__all__ = ["Catalogue", "Emulator", "HttpReply", "builtin_catalogue", "load_catalogue"]

"""First on PYTHONPATH (see tests/conftest.py): every Python process of the test run, kernels too, is offline.

Python raises an audit event before each look-up and each connection, and a hook cannot be taken off again.
All but this machine itself is refused, with the errors of a computer that has no network.
"""

import errno
import socket
import sys

HERE = {"", "localhost", "0.0.0.0", "::", "::1", socket.gethostname()}


def is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    return host is None or host in HERE or str(host).startswith("127.")


def refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and not is_here(arguments[0]):
        raise socket.gaierror(socket.EAI_AGAIN, f"the tests run offline: {arguments[0]} is not looked up")
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        if not is_here(arguments[1][0]):
            raise OSError(errno.ENETUNREACH, f"the tests run offline: no connection to {arguments[1][0]}")


sys.addaudithook(refuse)

"""Fetches what an address has into a file.

Run by Warmwheel in the environment of the pinned cibuildwheel: ADDRESS, FILE, the most bytes that
are taken, and how many seconds it may take in all and without a byte. What keeps it from that is
one line on stderr.
"""

import http.client
import os
import ssl
import sys
import time
import urllib.error
import urllib.request

ADDRESS, FILE = sys.argv[1:3]
MOST_BYTES = int(sys.argv[3])
SECONDS, IDLE_SECONDS = map(float, sys.argv[4:6])
ATTEMPTS = 3
# The server has too much to do, or something between here and there failed.
PASSING = (429, 500, 502, 503, 504)

deadline = time.monotonic() + SECONDS
caller = os.getppid()


class Refused(Exception):
    """Trying again would end in the same way."""


class Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5

    def redirect_request(self, request, *answer):
        target = super().redirect_request(request, *answer)
        if target and target.type not in (request.type, "https"):
            raise Refused(f"it leads from {request.type} to {target.type}")
        return target


def opener():
    handlers = [Redirects()]
    if not ADDRESS.startswith("file:"):
        # The system's certificates, and those that cibuildwheel itself goes by.
        context = ssl.create_default_context()
        try:
            import certifi

            context.load_verify_locations(certifi.where())
        except (ImportError, OSError):
            pass
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def receive(source):
    with source.open(ADDRESS, timeout=IDLE_SECONDS) as answer, open(FILE, "wb") as file:
        told = answer.headers.get("Content-Length") or ""
        expected = int(told) if told.isdigit() else None
        if expected is not None and expected > MOST_BYTES:
            raise Refused(f"it has {expected} bytes; {MOST_BYTES} at most are taken")
        count = 0
        while some := answer.read1(65536):
            count += len(some)
            if count > MOST_BYTES:
                raise Refused(f"it has more than the {MOST_BYTES} bytes that are taken")
            if time.monotonic() > deadline:
                raise Refused(f"it was not whole after {SECONDS:g} s")
            if os.getppid() != caller:
                raise Refused("nobody waits for it any more")
            file.write(some)
        if expected is not None and count != expected:
            raise http.client.HTTPException(f"it ended after {count} of {expected} bytes")


def words(error):
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, TimeoutError):
        return f"nothing came for {IDLE_SECONDS:g} s"
    if isinstance(cause, http.client.IncompleteRead):
        return "it ended before its time"
    return str(cause) or type(cause).__name__


def passes(error):
    if isinstance(error, urllib.error.HTTPError):
        return error.code in PASSING
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, ConnectionRefusedError):
        return False
    return isinstance(cause, (ConnectionError, http.client.HTTPException))


def main():
    source = opener()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return receive(source)
        except Refused as error:
            sys.exit(str(error))
        except (OSError, ValueError, http.client.HTTPException) as error:
            pause = attempt / 2
            if attempt == ATTEMPTS or not passes(error) or time.monotonic() + pause > deadline:
                sys.exit(" ".join(words(error).split()))
            time.sleep(pause)


main()

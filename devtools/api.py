"""workflow-server's HTTP API for the commands of the person on call. Host process only.

The server is that of the stack of `./dev up`, or the one named by ``--server``. Its token, if it has one, is in
``API_TOKEN`` or in the file named by ``API_TOKEN_FILE``, as for the server itself.
"""

import getpass
import ipaddress
import json
import os
import socket
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from shlex import quote as quote_word
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from devtools.errors import DevError, MistakeError
from devtools.stack import record

_PATIENCE_SECONDS = 30.0


class Api:
    """One server. ``named`` is the part of a command line that names it again, empty for the stack of this checkout."""

    def __init__(self, base: str, *, token: str | None = None, named: str = "") -> None:
        self.base = base.rstrip("/")
        self.named = named
        self._token = token
        # A proxy in the environment is for the world outside, not for this machine.
        handlers = [urllib.request.ProxyHandler({})] if _is_loopback(self.base) else []
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, *path: str, as_tenant: str | None = None, **query: object) -> Any:
        """The JSON that ``/api/<path>`` answers. ``path`` are segments, percent-encoded here."""
        return self._call("GET", path, query, {"X-Tenant-Id": as_tenant})

    def change(self, method: str, *path: str, actor: str, why: str, as_tenant: str | None = None) -> Any:
        """The JSON answer of a change that the audit writes down, None when the answer is empty."""
        return self._call(method, path, {"reason": why}, {"X-Actor": actor, "X-Tenant-Id": as_tenant})

    def _call(self, method: str, path: tuple[str, ...], query: dict[str, object], headers: dict[str, Any]) -> Any:
        asked = {name: value for name, value in query.items() if value not in (None, "")}
        url = f"{self.base}/api/{'/'.join(quote(part, safe='') for part in path)}"
        request = urllib.request.Request(f"{url}?{urlencode(asked)}" if asked else url, method=method)
        for name, value in headers.items():
            if value is not None:
                # As UTF-8: http.client takes Latin-1, which carries any bytes.
                request.add_header(name, value.encode().decode("latin-1"))
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=_PATIENCE_SECONDS) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            hint = "check the address" if self.named else "start the stack with ./dev up"
            raise MistakeError(f"workflow-server does not answer at {self.base} ({reason}): {hint}") from None
        try:
            return json.loads(body) if body else None
        except ValueError:
            raise MistakeError(f"{self.base} answers no JSON: it is not a workflow-server") from None


def find_api(server: str | None) -> Api:
    """The server at the address ``server``, without it that of this checkout's stack. Raises MistakeError."""
    token = _token()
    if server is not None:
        if not _is_address(server):
            raise MistakeError(f"--server {server!r} is no address: give it as http://HOST:PORT")
        return Api(server, token=token, named=f" --server {quote_word(server)}")
    stack = record.load()
    if stack is None:
        raise MistakeError("nothing of this checkout runs: start it with ./dev up, or name a server with --server URL")
    return Api(f"http://127.0.0.1:{stack.ports['WORKFLOW_SERVER_HTTP_PORT']}", token=token)


def this_person() -> str:
    """Who sits at this terminal, for the audit: ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _token() -> str | None:
    if os.environ.get("API_TOKEN"):
        return os.environ["API_TOKEN"]
    path = os.environ.get("API_TOKEN_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeError) as error:
        raise MistakeError(f"API_TOKEN_FILE {path} cannot be read ({getattr(error, 'strerror', error)})") from None


def _refusal(error: urllib.error.HTTPError) -> DevError:
    try:
        problem = json.loads(error.read())
        detail = str(problem["detail"]) if problem["code"] else ""
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        detail = f"{error.url} answers {error.code} {error.reason}: is it a workflow-server?"
    if error.code == 401:
        return MistakeError("this server asks for its token: set API_TOKEN, or API_TOKEN_FILE to the file it is in")
    return MistakeError(detail) if 400 <= error.code < 500 else DevError(detail)


def _is_address(server: str) -> bool:
    try:
        parts = urlsplit(server)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an end, a port that is no number
        return False


def _is_loopback(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Take secrets out of values before anybody may see them. Pure; importable anywhere, workflow code included.

Source: RUNTIME.md section 8. Everything that enters a projection, a log or an API answer passes through here.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from workflow_runtime.core.definition.values import SECRET_KEY

REDACTED: Final = "[REDACTED]"
REDACTED_SECRET: Final = "[SECRET:REDACTED]"

_SECRET_NAME: Final = re.compile(r"secret|token|password|api[_-]?key|authorization", re.IGNORECASE)


def redact(value: Any) -> Any:
    """A copy of ``value`` without secrets; ``value`` itself stays as it is.

    ``{"$secret": name}`` becomes ``[SECRET:REDACTED]``; whatever stands under a key whose name speaks of a secret
    becomes ``[REDACTED]``.

    >>> redact({"url": "https://x", "apiKey": "k", "auth": {"$secret": "MAIL"}})
    {'url': 'https://x', 'apiKey': '[REDACTED]', 'auth': '[SECRET:REDACTED]'}
    """
    if isinstance(value, Mapping):
        if SECRET_KEY in value:
            return REDACTED_SECRET
        return {key: _under(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def redact_field(name: str, text: str) -> str:
    """The text of a field called ``name`` without secrets; JSON in it is redacted by its keys.

    Text that begins like JSON and is none has no keys to go by: from the first word that speaks of a secret on nothing
    is shown.

    >>> redact_field("payload_json", '{"id": 1, "token": "t"}')
    '{"id": 1, "token": "[REDACTED]"}'
    >>> redact_field("payload_json", '{"id": 1, "token": "t')
    '{"id": 1, "[REDACTED]'
    >>> redact_field("event_name", "PASSWORD_CHANGED")
    'PASSWORD_CHANGED'
    """
    if _SECRET_NAME.search(name):
        return REDACTED
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.dumps(redact(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        found = _SECRET_NAME.search(text)
        return text if found is None else text[: found.start()] + REDACTED


def _under(key: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and SECRET_KEY in value:
        return REDACTED_SECRET
    if _SECRET_NAME.search(str(key)):
        return REDACTED
    return redact(value)

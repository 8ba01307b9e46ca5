"""Every action that worker images serve themselves, as data. Pure; importable anywhere.

Source of the list: RUNTIME.md section 6. They run on the authored queue; app-only actions are data of ``bootstrap``.
"""

from typing import Final

from workflow_runtime.core.actions._other_specs import HTTP_REQUEST, SEND_IN_APP
from workflow_runtime.core.actions._store_specs import LINK_SPECS, STORE_SPECS
from workflow_runtime.core.actions._transform_specs import TRANSFORM_SPECS
from workflow_runtime.core.actions.spec import ActionSpec

BUILTIN_SPECS: Final[tuple[ActionSpec, ...]] = tuple(
    sorted((*TRANSFORM_SPECS, *STORE_SPECS, *LINK_SPECS, SEND_IN_APP, HTTP_REQUEST), key=lambda spec: spec.id)
)

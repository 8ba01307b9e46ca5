"""What a store refuses and why. Importable anywhere; raised in processes and activities.

Hierarchy (categories as in RUNTIME.md section 5, so that a refusal keeps category and code across every boundary)::

    StoreError
      NotFoundError            ValidationError       there is no such thing
      InvalidNameError         ValidationError       a tenant, key, namespace or ref that cannot be one
      InvalidValueError        ValidationError       not JSON, or not the kind of value the operation needs
      ValueTooLargeError       ValidationError
      ConflictError            ActionError           it is there already, and different, or in another state
        RevisionMismatchError
        ArchivedError
      HashMismatchError        InterpreterCorruption stored data is not what was stored
"""

from workflow_runtime.core.errors import Category, RuntimeFailureError


class StoreError(RuntimeFailureError):
    """A store refused an operation; nothing was changed."""

    category = Category.ACTION


class NotFoundError(StoreError):
    """``kind`` ``name`` is not in the tenant's data."""

    category = Category.VALIDATION

    def __init__(self, kind: str, name: str, tenant: str, hint: str) -> None:
        super().__init__(f"{kind} {name!r} of tenant {tenant!r} does not exist; {hint}", code="NOT_FOUND")


class InvalidNameError(StoreError):
    """``name`` cannot be a ``kind``."""

    category = Category.VALIDATION

    def __init__(self, kind: str, name: str, rule: str) -> None:
        super().__init__(f"invalid {kind} {name!r}: {rule}", code="INVALID_NAME")


class InvalidValueError(StoreError):
    """A value the operation cannot work with."""

    category = Category.VALIDATION

    def __init__(self, message: str) -> None:
        super().__init__(message, code="INVALID_VALUE")


class ValueTooLargeError(StoreError):
    """A value above its limit; sizes in bytes of compact JSON."""

    category = Category.VALIDATION

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(
            f"{what} is {size} bytes of JSON, the limit is {limit}; store less or split it over several keys",
            code="VALUE_TOO_LARGE",
            details={"size": size, "limit": limit},
        )


class ConflictError(StoreError):
    """What is stored stands against the change."""

    def __init__(self, message: str, *, code: str = "CONFLICT", details: object = None) -> None:
        super().__init__(message, code=code, details=details)


class RevisionMismatchError(ConflictError):
    """Somebody else changed it first; ``actual`` is 0 when there is nothing."""

    def __init__(self, what: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{what} is at revision {actual}, not {expected}; read it again and repeat the change",
            details={"expected": expected, "actual": actual},
        )


class ArchivedError(ConflictError):
    """The workflow takes no new runs and versions."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"workflow {workflow_id!r} is archived; restore it before publishing or starting it", code="ARCHIVED"
        )


class HashMismatchError(StoreError):
    """A published definition is not the one that was published."""

    category = Category.CORRUPTION

    def __init__(self, workflow_id: str, version: int, expected: str, actual: str) -> None:
        super().__init__(
            f"definition of workflow {workflow_id!r} version {version} has hash {actual}, published was {expected}; "
            f"it was changed in Redis after it was published: restore it from a backup or a bundle",
            code="DEFINITION_HASH_MISMATCH",
        )

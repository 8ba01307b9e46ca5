"""The functions that load modules or run code by name, and where each takes its name. Data only. Build process."""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Final

from boundary.words import words


class Takes(Enum):
    """What the deciding argument of a loader is."""

    MODULE = auto()
    """An absolute or relative module name."""
    IMPORT = auto()
    """The arguments of ``__import__``."""
    OBJECT = auto()
    """``pkg.mod:attribute`` or a dotted path to something inside a module."""
    ANCHOR = auto()
    """A package, by name or as a module object, whose files are read."""
    CODE = auto()
    """Python source text."""
    FILE = auto()
    """The path of a source file."""
    TABLE = auto()
    """A configuration whose strings name modules; they are read as strings wherever they stand."""
    ANYTHING = auto()
    """Nothing that the source could fix."""


@dataclass(frozen=True, slots=True)
class Loader:
    """One loader: what it takes, at which position and under which keyword."""

    takes: Takes
    position: int = 0
    keyword: str = "name"


_MODULE: Final = Loader(Takes.MODULE)
_ANYTHING: Final = Loader(Takes.ANYTHING)
_CODE: Final = Loader(Takes.CODE, 0, "source")
_RESOURCES: Final = words("files open_binary open_text read_binary read_text path is_resource contents")

LOADERS: Final[dict[str, Loader]] = {
    "importlib.import_module": _MODULE,
    "importlib.__import__": Loader(Takes.IMPORT),
    "importlib._bootstrap._gcd_import": _MODULE,
    "importlib._bootstrap.__import__": Loader(Takes.IMPORT),
    "builtins.__import__": Loader(Takes.IMPORT),
    "importlib.util.find_spec": _MODULE,
    "importlib.find_loader": _MODULE,
    "importlib.machinery.PathFinder.find_spec": Loader(Takes.MODULE, 0, "fullname"),
    "pkgutil.find_loader": Loader(Takes.MODULE, 0, "fullname"),
    "pkgutil.get_loader": Loader(Takes.MODULE, 0, "module_or_name"),
    "pkgutil.resolve_name": Loader(Takes.OBJECT),
    "pkgutil.get_data": Loader(Takes.ANCHOR, 0, "package"),
    "pkgutil.iter_modules": _ANYTHING,
    "pkgutil.walk_packages": _ANYTHING,
    "pkgutil.extend_path": _ANYTHING,
    "runpy.run_module": Loader(Takes.MODULE, 0, "mod_name"),
    "runpy._run_module_as_main": Loader(Takes.MODULE, 0, "mod_name"),
    "runpy.run_path": Loader(Takes.FILE, 0, "path_name"),
    **{f"importlib.resources.{name}": Loader(Takes.ANCHOR, 0, "anchor") for name in _RESOURCES},
    "unittest.mock.patch": Loader(Takes.OBJECT, 0, "target"),
    "unittest.mock.patch.multiple": Loader(Takes.OBJECT, 0, "target"),
    "unittest.mock.patch.dict": Loader(Takes.OBJECT, 0, "in_dict"),
    "importlib.util.spec_from_file_location": Loader(Takes.FILE, 1, "location"),
    "importlib.machinery.SourceFileLoader": Loader(Takes.FILE, 1, "path"),
    "importlib.machinery.SourcelessFileLoader": Loader(Takes.FILE, 1, "path"),
    "importlib.machinery.ExtensionFileLoader": Loader(Takes.FILE, 1, "path"),
    "importlib._bootstrap_external.SourceFileLoader": Loader(Takes.FILE, 1, "path"),
    "importlib.util.spec_from_loader": _MODULE,
    "zipimport.zipimporter": _ANYTHING,
    "importlib.metadata.entry_points": _ANYTHING,
    "importlib_metadata.entry_points": _ANYTHING,
    "pkg_resources.iter_entry_points": _ANYTHING,
    "pkg_resources.load_entry_point": _ANYTHING,
    "site.addsitedir": _ANYTHING,
    "builtins.exec": _CODE,
    "builtins.eval": _CODE,
    "builtins.compile": _CODE,
    "timeit.timeit": Loader(Takes.CODE, 0, "stmt"),
    "cProfile.run": Loader(Takes.CODE, 0, "statement"),
    "profile.run": Loader(Takes.CODE, 0, "statement"),
    "pickle.load": _ANYTHING,
    "pickle.loads": _ANYTHING,
    "pickle.Unpickler": _ANYTHING,
    "marshal.load": _ANYTHING,
    "marshal.loads": _ANYTHING,
    "shelve.open": _ANYTHING,
    "logging.config.fileConfig": _ANYTHING,
    "logging.config.dictConfig": Loader(Takes.TABLE, 0, "config"),
    "pydoc.locate": Loader(Takes.OBJECT, 0, "path"),
    "importlib.machinery.FileFinder": _ANYTHING,
    "importlib.machinery.FileFinder.path_hook": _ANYTHING,
    "code.interact": _ANYTHING,
    "code.InteractiveInterpreter": _ANYTHING,
    "code.InteractiveConsole": _ANYTHING,
    "ctypes.pythonapi": _ANYTHING,
    "pydantic.ImportString": _ANYTHING,
    "pydantic.types.ImportString": _ANYTHING,
}
"""Full dotted name -> how to read the call. ``ANYTHING`` is refused wherever it appears without a comment."""

_MACHINERY: Final = words("_frozen_importlib _frozen_importlib_external _imp imp")
"""Modules that are the import system's own; nothing of theirs may be used."""


_REEXPORTED: Final = words(
    "import_module __import__ import_string import_object import_from_string import_by_path import_attr load_object"
)
"""What other libraries call their loaders, or pass on under its own name."""


@cache
def loader_of(name: str) -> Loader | None:
    """The loader of this full dotted name, also where another module passes it on (``pkgutil.importlib.…``)."""
    parts = name.split(".")
    for start in range(len(parts) - 1):
        if known := LOADERS.get(".".join(parts[start:])):
            return known
    if len(parts) > 1 and parts[0] in _MACHINERY:
        return _ANYTHING
    return Loader(Takes.OBJECT) if len(parts) > 1 and parts[-1] in _REEXPORTED else None


def made_by_loader(name: str) -> bool:
    """Whether the name is that of something a loader gave: it was judged where the loader was called."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in LOADERS for length in range(2, len(parts)))


LOADING_METHODS: Final = frozenset({"import_module", "load_module", "exec_module", "__import__", "run_module"})
"""Methods refused on an object whose origin is not known."""

REFLECTION: Final = words("__globals__ __builtins__ __subclasses__ f_globals f_builtins")
"""Attributes that lead to every loader there is; refused on any object."""

LOADING_MODULES: Final = frozenset(
    {"importlib", "importlib.util", "importlib.machinery", "importlib._bootstrap", "builtins", "runpy", "pkgutil"}
)
"""Modules that may not be handed around, because what is then called on them cannot be followed."""

SEARCH_PATHS: Final = frozenset(
    {"sys.path", "sys.meta_path", "sys.path_hooks", "sys.path_importer_cache", "sys.modules", "builtins.__path__"}
)
"""State of the import system; changing it changes what every other import means."""

MODULE_IDENTITY: Final = frozenset({"__package__", "__path__", "__spec__", "__loader__", "__builtins__"})
"""Names of a module that decide what its imports mean; binding one is refused."""

PATH_CHANGES: Final = words("append extend insert remove pop clear update setdefault __setitem__ sort reverse")

LOGGER_NAMES: Final = frozenset({"logging.getLogger", "structlog.get_logger", "structlog.stdlib.get_logger"})
"""Functions whose string argument names a logger, not a module."""

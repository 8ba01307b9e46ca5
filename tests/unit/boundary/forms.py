"""Every way worker code may reach a module, as source text. ``{m}`` is a module of ours: ``lib.boot.engine`` or its twin.

The twin of a form names ``lib.core.engine`` instead, which the image declares. ``{p}`` is the package, ``{n}`` the last
part of the package's name (``boot`` or ``core``); ``{first}`` and ``{rest}`` are two halves of the full name.
"""

from dataclasses import dataclass

BOTH, AST, RUN = "AST and run", "AST", "run"


@dataclass(frozen=True)
class Form:
    """One way, and who sees it. ``seen`` is the witness of the finding; ``certainty`` is what the report says of it."""

    name: str
    source: str
    seen: str = BOTH
    certainty: str = "runtime"


STATIC = [
    Form("import", "import {m}\n"),
    Form("import as", "import {m} as other\n"),
    Form("import among others", "import os, {m}, sys\n"),
    Form("from import", "from {m} import run\n"),
    Form("from import as", "from {m} import run as go\n"),
    Form("from package import module", "from {p} import engine\n"),
    Form("from namespace import package", "from lib import {n}\n"),
    Form("star import", "from {m} import *\n"),
    Form("import over several lines", "from {m} import (\n    VALUE,\n    run,\n)\n"),
    Form("import after a semicolon", "x = 1; import {m}\n"),
    Form("import in a function", "def go():\n    import {m}\n", AST),
    Form("import in an async function", "async def go():\n    from {m} import run\n    return run\n", AST),
    Form("import in a nested function", "def go():\n    def inner():\n        import {m}\n    return inner\n", AST),
    Form("import in a class body", "class Holder:\n    from {m} import run\n"),
    Form("import in a method", "class Holder:\n    def go(self):\n        import {m}\n", AST),
    Form(
        "import in a property",
        "class Holder:\n    @property\n    def it(self):\n        import {m}\n        return 1\n",
        AST,
    ),
    Form(
        "module __getattr__", "def __getattr__(name):\n    import {m} as found\n    return getattr(found, name)\n", AST
    ),
    Form("import in a loop", "for _ in range(1):\n    import {m}\n"),
    Form("import in a with", "import contextlib\nwith contextlib.nullcontext():\n    import {m}\n"),
    Form("import in a match", "match 1:\n    case 1:\n        import {m}\n", BOTH, "guarded"),
    Form("import in a finally", "try:\n    pass\nfinally:\n    import {m}\n"),
    Form("import in a while", "while True:\n    import {m}\n    break\n"),
    Form(
        "attribute of a package", "import lib\n\n\ndef go():\n    return lib.{n}.engine.run()\n", AST, "dynamic literal"
    ),
]

GUARDS = [
    Form(
        "TYPE_CHECKING by name",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {m}\n",
        AST,
        "type-only",
    ),
    Form("TYPE_CHECKING by attribute", "import typing\nif typing.TYPE_CHECKING:\n    import {m}\n", AST, "type-only"),
    Form(
        "TYPE_CHECKING by module alias", "import typing as t\nif t.TYPE_CHECKING:\n    import {m}\n", AST, "type-only"
    ),
    Form(
        "TYPE_CHECKING by alias", "from typing import TYPE_CHECKING as TC\nif TC:\n    import {m}\n", AST, "type-only"
    ),
    Form(
        "TYPE_CHECKING assigned", "import typing\nTC = typing.TYPE_CHECKING\nif TC:\n    import {m}\n", AST, "type-only"
    ),
    Form("TYPE_CHECKING defined here", "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import {m}\n", AST, "type-only"),
    Form(
        "TYPE_CHECKING compared", "import typing\nif typing.TYPE_CHECKING is True:\n    import {m}\n", AST, "type-only"
    ),
    Form("TYPE_CHECKING and more", "import typing\nif typing.TYPE_CHECKING and 1:\n    import {m}\n", AST, "type-only"),
    Form(
        "TYPE_CHECKING in a class",
        "import typing\nclass A:\n    if typing.TYPE_CHECKING:\n        import {m}\n",
        AST,
        "type-only",
    ),
    Form("not TYPE_CHECKING", "import typing\nif not typing.TYPE_CHECKING:\n    import {m}\n"),
    Form("else of TYPE_CHECKING", "import typing\nif typing.TYPE_CHECKING:\n    x = 1\nelse:\n    import {m}\n"),
    Form(
        "elif after TYPE_CHECKING",
        "import sys, typing\nif typing.TYPE_CHECKING:\n    x = 1\nelif sys.version_info:\n    import {m}\n",
        BOTH,
        "guarded",
    ),
    Form(
        "else of not TYPE_CHECKING",
        "import typing\nif not typing.TYPE_CHECKING:\n    x = 1\nelse:\n    import {m}\n",
        AST,
        "type-only",
    ),
    Form("if False", "if False:\n    import {m}\n", AST, "type-only"),
    Form("string annotation", "def go(engine: '{m}.Engine') -> None: ...\n", AST, "type-only"),
    Form("try except ImportError", "try:\n    import {m}\nexcept ImportError:\n    pass\n", BOTH, "guarded"),
    Form(
        "try except ModuleNotFoundError",
        "try:\n    import {m}\nexcept (KeyError, ModuleNotFoundError):\n    pass\n",
        BOTH,
        "guarded",
    ),
    Form("try except Exception", "try:\n    import {m}\nexcept Exception:\n    pass\n", BOTH, "guarded"),
    Form("bare except", "try:\n    import {m}\nexcept:\n    pass\n", BOTH, "guarded"),
    Form("import in a handler", "try:\n    raise ImportError\nexcept ImportError:\n    import {m}\n", BOTH, "guarded"),
    Form(
        "suppress(ImportError)",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import {m}\n",
        BOTH,
        "guarded",
    ),
    Form("platform guard", "import sys\nif sys.platform == 'win32':\n    import {m}\n", AST, "guarded"),
]

DYNAMIC = [
    Form("import_module", "import importlib\nimportlib.import_module('{m}')\n"),
    Form("import_module by keyword", "import importlib\nimportlib.import_module(name='{m}')\n"),
    Form("import_module relative", "import importlib\nimportlib.import_module('.engine', '{p}')\n"),
    Form("import_module relative by keyword", "import importlib\nimportlib.import_module('.engine', package='{p}')\n"),
    Form("import_module imported", "from importlib import import_module\nimport_module('{m}')\n"),
    Form("import_module imported as", "from importlib import import_module as load\nload('{m}')\n"),
    Form("importlib aliased", "import importlib as il\nil.import_module('{m}')\n"),
    Form("import_module assigned", "import importlib\nload = importlib.import_module\nload('{m}')\n"),
    Form("import_module in a class", "import importlib\nclass L:\n    load = importlib.import_module\nL.load('{m}')\n"),
    Form("import_module by getattr", "import importlib\ngetattr(importlib, 'import_' + 'module')('{m}')\n"),
    Form("import_module by __dict__", "import importlib\nimportlib.__dict__['import_module']('{m}')\n"),
    Form("import_module by vars", "import importlib\nvars(importlib)['import_module']('{m}')\n"),
    Form("import_module by star", "from importlib import *\nimport importlib\nimport_module('{m}')\n"),
    Form("import_module in a lambda", "import importlib\ngo = lambda: importlib.import_module('{m}')\n", AST),
    Form("import_module in a default", "import importlib\ndef go(x=importlib.import_module('{m}')): ...\n"),
    Form(
        "import_module in a decorator",
        "import importlib\n@importlib.import_module('{m}').run.__class__.__call__\ndef go(): ...\n",
    ),
    Form("import_module mapped", "import importlib\nlist(map(importlib.import_module, ['{m}']))\n"),
    Form(
        "import_module by partial", "import functools, importlib\nfunctools.partial(importlib.import_module, '{m}')()\n"
    ),
    Form("import_module in a comprehension", "import importlib\n[importlib.import_module(n) for n in ('{m}',)]\n"),
    Form("import_module through sys.modules", "import importlib, sys\nsys.modules['importlib'].import_module('{m}')\n"),
    Form("import_module imported by name", "__import__('importlib').import_module('{m}')\n"),
    Form("__import__", "__import__('{m}')\n"),
    Form("__import__ by keyword", "__import__(name='{m}')\n"),
    Form("__import__ with members", "__import__('{p}', globals(), locals(), ['engine'])\n"),
    Form("__import__ assigned", "load = __import__\nload('{m}')\n"),
    Form("__import__ from builtins", "import builtins\nbuiltins.__import__('{m}')\n"),
    Form("__import__ by __builtins__", "__builtins__['__import__']('{m}')\n"),
    Form("importlib.__import__", "import importlib\nimportlib.__import__('{m}')\n", BOTH),
    Form("find_spec", "import importlib.util\nimportlib.util.find_spec('{m}')\n"),
    Form("pkgutil.resolve_name", "import pkgutil\npkgutil.resolve_name('{m}:run')\n"),
    Form("pkgutil.resolve_name dotted", "import pkgutil\npkgutil.resolve_name('{m}.run')\n"),
    Form("pkgutil.get_data", "import pkgutil\npkgutil.get_data('{p}', 'data.txt')\n"),
    Form("runpy.run_module", "import runpy\nrunpy.run_module('{m}')\n"),
    Form("importlib.resources.files", "import importlib.resources\nimportlib.resources.files('{p}')\n"),
    Form("importlib.resources.read_text", "from importlib.resources import read_text\nread_text('{p}', 'data.txt')\n"),
    Form("unittest.mock.patch", "from unittest import mock\ndef go():\n    with mock.patch('{m}.run'): ...\n", AST),
    Form("unittest.mock.patch imported", "from unittest.mock import patch\n@patch('{m}.run')\ndef go(run): ...\n", AST),
    Form(
        "source file loader",
        "from importlib.machinery import SourceFileLoader\ndef go():\n    SourceFileLoader('x', 'src/{path}.py').load_module()\n",
        AST,
    ),
    Form(
        "spec from file", "import importlib.util\nimportlib.util.spec_from_file_location('x', 'src/{path}.py')\n", AST
    ),
    Form("runpy.run_path", "import runpy\ndef go():\n    runpy.run_path('src/{path}.py')\n", AST),
    Form("exec of a literal", "exec('import {m}')\n"),
    Form("exec of bytes", "exec(b'from {m} import run')\n"),
    Form("exec within exec", "exec(\"exec('import {m}')\")\n"),
    Form("exec of a compiled literal", "exec(compile('import {m}', 'x', 'exec'))\n"),
    Form("exec with the module's names", "from importlib import import_module as load\nexec(\"load('{m}')\")\n"),
    Form("eval of a literal", "eval(\"__import__('{m}')\")\n"),
    Form(
        "subprocess -m", "import subprocess, sys\ndef go():\n    subprocess.run([sys.executable, '-m', '{m}'])\n", AST
    ),
    Form("subprocess -m joined", "import subprocess\ndef go():\n    subprocess.run(('python3', '-m{m}'))\n", AST),
    Form(
        "subprocess -c",
        "import subprocess, sys\ndef go():\n    subprocess.run([sys.executable, '-I', '-c', 'import {m}'])\n",
        AST,
    ),
    Form(
        "subprocess of a script",
        "import subprocess\ndef go():\n    subprocess.run(['python', '-X', 'dev', 'src/{path}.py'])\n",
        AST,
    ),
    Form("subprocess in a shell", "import os\ndef go():\n    os.system('exec python3 -B -m {m} --now')\n", AST),
    Form(
        "asyncio subprocess",
        "import asyncio, sys\nasync def go():\n    await asyncio.create_subprocess_exec(sys.executable, '-m', '{m}')\n",
        AST,
    ),
    Form("os.execv", "import os, sys\ndef go():\n    os.execv(sys.executable, [sys.executable, '-m', '{m}'])\n", AST),
    Form("sys.modules entry", "import sys\ndef go():\n    return sys.modules['{m}']\n", AST),
    Form("sys.modules get", "import sys\ndef go():\n    return sys.modules.get('{m}')\n", AST),
    Form("string reference with a colon", "APP = '{m}:run'\n", AST),
    Form("dotted string reference", "HANDLER = '{m}.run'\n", AST),
    Form("string reference in a dictionary", "LOGGING = {{'handlers': {{'x': {{'class': '{m}.Handler'}}}}}}\n", AST),
]

CONSTANTS = [
    Form("a constant", "import importlib\nNAME = '{m}'\nimportlib.import_module(NAME)\n"),
    Form("a constant of a class", "import importlib\nclass C:\n    NAME = '{m}'\nimportlib.import_module(C.NAME)\n"),
    Form(
        "a final constant",
        "import importlib\nfrom typing import Final\nNAME: Final = '{m}'\nimportlib.import_module(NAME)\n",
    ),
    Form("concatenated constants", "import importlib\nA = '{first}'\nB = '{rest}'\nimportlib.import_module(A + B)\n"),
    Form("adjacent literals", "import importlib\nimportlib.import_module('{first}' '{rest}')\n"),
    Form("an f-string of constants", "import importlib\nA = '{first}'\nimportlib.import_module(f'{{A}}{rest}')\n"),
    Form("percent formatting", "import importlib\nimportlib.import_module('%s.%s' % ('{p}', 'engine'))\n"),
    Form("str.format", "import importlib\nimportlib.import_module('{{}}.{{}}'.format('{p}', 'engine'))\n"),
    Form("str.join", "import importlib\nimportlib.import_module('.'.join(['{p}', 'engine']))\n"),
    Form("str.replace", "import importlib\nimportlib.import_module('{m}'.replace('/', '.'))\n"),
    Form("a reversed literal", "import importlib\nimportlib.import_module('{reversed}'[::-1])\n"),
    Form(
        "an augmented constant", "import importlib\nNAME = '{first}'\nNAME += '{rest}'\nimportlib.import_module(NAME)\n"
    ),
    Form("a choice of constants", "import importlib\nimportlib.import_module('{m}' if importlib else 'json')\n"),
    Form("a rebound name", "import importlib\nNAME = 'json'\nNAME = '{m}'\nimportlib.import_module(NAME)\n"),
    Form(
        "a loop over constants", "import importlib\nfor name in ('json', '{m}'):\n    importlib.import_module(name)\n"
    ),
    Form(
        "a loop over a named list",
        "import importlib\nNAMES = ['json', '{m}']\nfor name in NAMES:\n    importlib.import_module(name)\n",
    ),
    Form("a table of constants", "import importlib\nT = {{'a': '{m}'}}\nimportlib.import_module(T['a'])\n"),
    Form(
        "a table with any key",
        "import importlib\nT = {{'a': '{m}', 'b': 'json'}}\ndef go(k):\n    importlib.import_module(T[k])\n",
        AST,
    ),
    Form(
        "values of a table",
        "import importlib\nfor name in {{'a': '{m}'}}.values():\n    importlib.import_module(name)\n",
    ),
    Form("an unpacked pair", "import importlib\nA, B = '{p}', '.engine'\nimportlib.import_module(B, A)\n"),
    Form("a walrus", "import importlib\nif name := '{m}':\n    importlib.import_module(name)\n"),
    Form("the module's own package", "import importlib\nimportlib.import_module('.' + '{n}' + '.engine', 'lib')\n"),
    Form(
        "a global set in a function",
        "import importlib\nNAME = None\ndef set_():\n    global NAME\n    NAME = '{m}'\nset_()\nimportlib.import_module(NAME)\n",
    ),
]

FORMS = [
    *STATIC,
    *GUARDS,
    *(Form(form.name, form.source, form.seen, "dynamic literal") for form in (*DYNAMIC, *CONSTANTS)),
]


def written(form: Form, module: str) -> str:
    """The form's source, naming ``module`` (``lib.boot.engine`` or ``lib.core.engine``)."""
    package = module.rpartition(".")[0]
    return form.source.format(
        m=module,
        p=package,
        n=package.rpartition(".")[2],
        path=module.replace(".", "/"),
        first=module[:6],
        rest=module[6:],
        reversed=module[::-1],
    )


UNDECIDABLE = {
    "a parameter": "import importlib\ndef go(name):\n    importlib.import_module(name){comment}\n",
    "an environment variable": "import importlib, os\ndef go():\n    importlib.import_module(os.environ['X']){comment}\n",
    "a function's answer": "import importlib\ndef name(): ...\ndef go():\n    importlib.import_module(name()){comment}\n",
    "a formatted unknown": "import importlib\ndef go(x):\n    importlib.import_module(f'lib.{{x}}'){comment}\n",
    "a list that grows": "import importlib\nN = ['json']\ndef go(x):\n    N.append(x)\n    importlib.import_module(N[0]){comment}\n",
    "a table that grows": "import importlib\nN = {{}}\ndef go(x):\n    N['a'] = x\n    importlib.import_module(N['a']){comment}\n",
    "a name appended in a loop": (
        "import importlib\ndef go(xs):\n    n = 'lib'\n    for x in xs:\n        n += x\n    importlib.import_module(n){comment}\n"
    ),
    "one constant of two": "import importlib\ndef go(x):\n    importlib.import_module(x or 'json'){comment}\n",
    "unpacked arguments": "import importlib\ndef go(*a):\n    importlib.import_module(*a){comment}\n",
    "unpacked keywords": "import importlib\ndef go(**k):\n    importlib.import_module(**k){comment}\n",
    "over several lines": "import importlib\ndef go(x):\n    importlib.import_module(\n        x,{comment}\n    )\n",
    "__import__ of a parameter": "def go(x):\n    __import__(x){comment}\n",
    "__import__ with unknown members": "def go(x):\n    __import__('lib', None, None, x){comment}\n",
    "exec of a parameter": "def go(x):\n    exec(x){comment}\n",
    "eval of a parameter": "def go(x):\n    return eval(x){comment}\n",
    "compile of a parameter": "def go(x):\n    return compile(x, 'x', 'exec'){comment}\n",
    "pkgutil.iter_modules": "import pkgutil\ndef go():\n    return pkgutil.iter_modules(){comment}\n",
    "pkgutil.walk_packages": "import pkgutil\ndef go():\n    return pkgutil.walk_packages(){comment}\n",
    "entry points": "from importlib.metadata import entry_points\ndef go():\n    return entry_points(group='x'){comment}\n",
    "runpy.run_path": "import runpy\ndef go(x):\n    return runpy.run_path(x){comment}\n",
    "a file loader": "from importlib.machinery import SourceFileLoader\ndef go(x):\n    SourceFileLoader('x', x){comment}\n",
    "a file elsewhere": "import runpy\ndef go():\n    return runpy.run_path('/etc/x.py'){comment}\n",
    "pickle": "import pickle\ndef go(x):\n    return pickle.loads(x){comment}\n",
    "a loader handed on": "import importlib\ndef go(f):\n    f(importlib.import_module){comment}\n",
    "a loader returned": "import importlib\ndef go():\n    return importlib.import_module{comment}\n",
    "a loader kept in an object": "import importlib\nclass A:\n    def __init__(self):\n        self.f = importlib.import_module{comment}\n",
    "importlib handed on": "import importlib\ndef go(f):\n    f(importlib){comment}\n",
    "a loader by a computed name": "import importlib\ndef go(x):\n    getattr(importlib, x)('lib'){comment}\n",
    "a loader of something unknown": "def go(x):\n    x.load_module('lib'){comment}\n",
    "sys.path": "import sys\ndef go():\n    sys.path.append('/x'){comment}\n",
    "sys.path assigned": "import sys\ndef go():\n    sys.path[:0] = ['/x']{comment}\n",
    "sys.meta_path": "import sys\ndef go(x):\n    sys.meta_path.insert(0, x){comment}\n",
    "__package__": "__package__ = 'lib.x'{comment}\n",
    "__path__": "__path__ = ['/x']{comment}\n",
    "__path__ changed": "def go():\n    __path__.append('/x'){comment}\n",
    "sys.modules": "import sys\ndef go(x):\n    sys.modules['lib.core'] = x{comment}\n",
    "subprocess -m": "import subprocess, sys\ndef go(x):\n    subprocess.run([sys.executable, '-m', x]){comment}\n",
    "subprocess -c": "import subprocess, sys\ndef go(x):\n    subprocess.run([sys.executable, '-c', x]){comment}\n",
    "subprocess of anything": "import subprocess, sys\ndef go(x):\n    subprocess.run([sys.executable, *x]){comment}\n",
    "__import__ from elsewhere": "def go():\n    __import__('x', {{'__package__': 'lib'}}, None, ['y'], 1){comment}\n",
}
"""Lines whose target the source does not fix; ``{comment}`` takes the declaration."""

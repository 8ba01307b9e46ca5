"""Direct children of syntax nodes; the standard library's generators cost a third of the whole walk. Build process."""

import ast


def children(node: ast.AST) -> list[ast.AST]:
    """Every direct child, in source order."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
    return found


def expressions(node: ast.AST) -> list[ast.expr]:
    """Every direct child that is an expression, keyword arguments' values included."""
    found: list[ast.expr] = []
    for child in children(node):
        if isinstance(child, ast.expr):
            found.append(child)
        elif isinstance(child, ast.keyword):
            found.append(child.value)
    return found


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of the parameters, of the result, and of the type parameters."""
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
    annotations = [argument.annotation for argument in arguments if argument is not None]
    return [annotation for annotation in (*annotations, node.returns) if annotation is not None] + type_bounds(node)


def type_bounds(node: ast.AST) -> list[ast.expr]:
    """The bounds and defaults of a definition's type parameters."""
    return [bound for parameter in getattr(node, "type_params", []) for bound in expressions(parameter)]

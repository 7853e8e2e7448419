"""What a program computes, and nothing that its author could say in it.

Gone are comments, docstrings, annotations, imports, layout, every text that is no pattern of indices or option of a
library, and every name that the program chose (`names`). So programs that differ in these only read the same to the
last byte, and a sentence that is meant for the reader has no place to stand in.

Not covered: numbers, the order of statements, and code that never runs; short names of library functions may stand in
the latter. Such a message would have to be written in the vocabulary of torch.
"""

import ast
import re
from collections import Counter
from string import ascii_letters

from asi_arch.agents.bare.names import Names, methods_of

_OPTIONS = re.compile(
    "silu|swish|relu|gelu|elu|tanh|sigmoid|softplus|softmax|mean|sum|max|min|none|constant|reflect|replicate|circular"
    "|nearest|linear|ij|xy|floor|trunc|fan_in|fan_out|causal|same|valid|left|right"
)
_LARGEST_INT = 10**18
_LONGEST_SUBSCRIPT = 6


def bare_program(source: str) -> str:
    """The program with neutral names, as `ast.unparse` lays it out.

    Raises `SyntaxError` for a text that is not Python, or is nested too deeply to be looked through.
    """
    try:
        tree = ast.parse(source)
        return ast.unparse(ast.fix_missing_locations(_Bare(Names(tree)).visit(tree)))
    except ValueError as error:
        raise SyntaxError(str(error)) from None
    except (RecursionError, MemoryError):
        raise SyntaxError("an expression is nested too deeply") from None


def added_lines(program: str, other: str) -> str:
    """The lines that one bare program has more often than another, whatever the numbers in its names."""
    left = Counter(_unnumbered(line) for line in other.splitlines())
    added: list[str] = []
    for line in filter(str.strip, program.splitlines()):
        if left[_unnumbered(line)]:
            left[_unnumbered(line)] -= 1
        else:
            added.append(line.strip())
    return "\n".join(added)


def _unnumbered(line: str) -> str:
    return re.sub(r"\b([a-z_]+)\d+\b", r"\1", line.strip())


class _Bare(ast.NodeTransformer):
    """Takes out what is no code and gives names to the rest."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._texts: dict[str, str] = {}
        self._methods: set[int] = set()

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A block that is left empty passes."""
        super().generic_visit(node)
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # pyright: ignore[reportAttributeAccessIssue]  every node with a list of statements
        if hasattr(node, "type_params"):
            node.type_params = []  # pyright: ignore[reportAttributeAccessIssue]  since Python 3.12
        return node

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_silent = isinstance(node.value, ast.Constant | ast.JoinedStr) or ast.unparse(node) == "super().__init__()"
        return None if is_silent else self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names.of_name(node.name)
        for method in methods_of(node):
            method.name = self._names.of_method(method.name)
            self._methods.add(id(method))
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._names.of_name(node.arg), None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        value = node.value if node.value is not None else ast.Constant(value=None)
        return self.generic_visit(ast.Assign(targets=[node.target], value=value))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.of_name(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._names.of_attribute(node.value, node.attr)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        for keyword in node.keywords:
            if keyword.arg is not None:
                keyword.arg = self._names.of_keyword(node.func, keyword.arg)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._names.of_name(name) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._names.of_name(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self._names.of_name(node.name)
        return self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        node.name = node.name and self._names.of_name(node.name)
        return self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        node.name = node.name and self._names.of_name(node.name)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        node.rest = node.rest and self._names.of_name(node.rest)
        return self.generic_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        node.kwd_attrs = [self._names.of_attribute(node.cls, name) for name in node.kwd_attrs]
        return self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant(value=self._numbered(ast.dump(node)))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bytes):
            return ast.Constant(value=self._numbered(repr(value)))
        if isinstance(value, str):
            return ast.Constant(value=self._text(value))
        if isinstance(value, int) and abs(value) > _LARGEST_INT:
            return ast.Constant(value=_LARGEST_INT)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        if id(node) not in self._methods:
            node.name = self._names.of_name(node.name)
        return self.generic_visit(node)

    def _text(self, text: str) -> str:
        if _OPTIONS.fullmatch(text):
            return text
        return self._names.of_text(text) or _pattern(text) or self._numbered(text)

    def _numbered(self, text: str) -> str:
        return self._texts.setdefault(text, f"text{len(self._texts) + 1}")


def _pattern(text: str) -> str | None:
    """A pattern of einsum or einops with its indices called a, b, c in order; None for any other text."""
    if not re.fullmatch(r"[A-Za-z0-9_ (),.>*-]+->[A-Za-z0-9_ (),.*]*", text):
        return None
    words = re.findall(r"[A-Za-z_]\w*", text)
    is_einsum = len(text.partition("->")[2].split()) <= 1 and all(len(word) <= _LONGEST_SUBSCRIPT for word in words)
    what = r"[A-Za-z_]" if is_einsum else r"[A-Za-z_]\w*"
    indices = list(dict.fromkeys(re.findall(what, text)))
    if len(indices) > len(ascii_letters):
        return None
    return re.sub(what, lambda found: ascii_letters[indices.index(found[0])], text)

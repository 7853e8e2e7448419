"""Candidate code is a value: text, addressed by its hash. A repair is a new candidate, never an edit."""

import ast
from enum import Enum

from asi_arch.domain.novelty import Novelty
from asi_arch.domain.record import Record, sha256
from asi_arch.domain.review import Review


class Author(str, Enum):
    """Who wrote a proposal."""

    BASELINE = "baseline"
    COMPOSER = "composer"
    DESIGNER = "designer"
    """A language model chose the mechanisms, the composer wrote the code."""
    MODEL = "model"
    """A language model, or whoever answered in its place, wrote the code."""
    USER = "user"
    IMPORTED = "imported"


class Adapter(str, Enum):
    """For which interface a source was written."""

    MIXER = "mixer"
    """Ours: a class `Mixer` from [B, T, D] to [B, T, D]."""
    FLA = "fla"
    """A layer of flash-linear-attention: a class `DeltaNet` with `forward(hidden_states, ...)`."""


class Repair(Record):
    """A change to a program that failed."""

    failure: str
    """How it failed, in a sentence."""
    cause: str
    """What its mender took for the root of it."""
    before: str
    """The program as it failed."""


class Proposal(Record):
    """An idea with its code, before anything is known about it."""

    author: Author
    name: str
    motivation: str
    """Why it should help, naming the mechanism."""
    expectation: str = ""
    """Which number should move, and in which direction."""
    change: str = ""
    """What differs from the parent, in one sentence."""
    source: str
    adapter: Adapter = Adapter.MIXER
    fingerprint: str
    """Hash of the normalised syntax tree: equal programs under other names or comments are the same program."""
    parent: int | None = None
    """Index of the experiment whose code was modified."""
    partner: int | None = None
    """Index of the second parent where two were crossed."""
    references: tuple[int, ...] = ()
    mechanisms: tuple[str, ...] = ()
    """As its author names them; see `catalogued`."""
    design: str = ""
    """The composer's typed description as JSON; empty for free code."""
    passages: tuple[str, ...] = ()
    """Ids of the entries of the cognition base that its author was given."""
    novelty: Novelty | None = None
    """None where nobody asked whether it is new."""
    repairs: tuple[Repair, ...] = ()
    """Oldest first; `source` is the program after the last."""
    review: Review | None = None
    """None where nobody read the code against its promise."""

    @property
    def sha(self) -> str:
        """SHA-256 of the source, and of its adapter where it has one."""
        return candidate_sha(self.source, self.adapter)

    @property
    def is_catalogued(self) -> bool:
        """Whether its mechanisms are named as the composer's catalogue does, so that they can be compared."""
        return self.author in (Author.BASELINE, Author.COMPOSER, Author.DESIGNER)

    @property
    def catalogued(self) -> tuple[str, ...]:
        """Its mechanisms where they can be compared with others', else none: who writes freely uses own words."""
        return self.mechanisms if self.is_catalogued else ()


def candidate_sha(source: str, adapter: Adapter = Adapter.MIXER) -> str:
    """SHA-256 that names a candidate in run keys: the same text read in another way is another candidate."""
    return sha256(source if adapter is Adapter.MIXER else f"{adapter.value}\n{source}")


def fingerprint(source: str) -> str:
    """Hash of the program without comments, docstrings, layout and the names of its variables.

    Raises `SyntaxError` for a text that is not Python, or is nested too deeply to be looked through.
    """
    try:
        return sha256(ast.dump(_Normaliser().visit(ast.parse(source)), annotate_fields=False))
    except (RecursionError, MemoryError):  # the parser says the second of an expression that is too deep for it
        raise SyntaxError("an expression is nested too deeply") from None


class _Normaliser(ast.NodeTransformer):
    """Drops docstrings and renames classes, functions, arguments, variables and attributes in order of appearance.

    Only names that the module itself binds are renamed: calls into libraries keep theirs.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def visit_Module(self, node: ast.Module) -> ast.AST:
        bound = _bound_names(node)
        self._names = {name: f"n{number}" for number, name in enumerate(bound)}
        return self.generic_visit(_without_docstrings(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(_without_docstrings(node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name)
        node.returns = None
        return self.generic_visit(_without_docstrings(node))

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._names.get(node.arg, node.arg), None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            node.attr = self._names.get(f"self.{node.attr}", node.attr)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        value = node.value if node.value is not None else ast.Constant(value=None)
        return self.generic_visit(ast.Assign(targets=[node.target], value=value))


def _without_docstrings(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> ast.AST:
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            node.body = rest or [ast.Pass()]
        case _:
            pass
    return node


_KEEP = frozenset({"self", "Mixer", "forward", "step", "__init__"})


def _bound_names(module: ast.Module) -> list[str]:
    """Names the module binds, in order of appearance; attributes of `self` as 'self.NAME'."""
    found: dict[str, None] = {}
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found[name] = None
                found[f"self.{name}"] = None
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                found[name] = None
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                found[f"self.{name}"] = None
            case _:
                pass
    return [name for name in found if name.removeprefix("self.") not in _KEEP]

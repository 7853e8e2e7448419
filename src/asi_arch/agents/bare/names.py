"""Neutral names for what a program binds itself, numbered in the order in which it is read.

An attribute is named after what makes it ('linear2', 'parameter1'), since that says what it is; all else is 'v3',
'function1', 'Part1'. Names of libraries stay, unless they are long or hold a word that is meant for a reader.
"""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator

_CLASS = "Mixer"
_METHODS = frozenset({"__init__", "forward", "step"})
_ARGUMENTS = frozenset({"self", "x", "hidden_size", "num_heads", "layer_idx", "hidden_states"})
_REGISTERING = {"register_buffer": "buffer", "register_parameter": "parameter"}
_TENSORS = re.compile(
    "weight|bias|data|grad|shape|device|dtype|T|mT|ndim|training|size|view|reshape|transpose|permute|chunk|split"
    "|unsqueeze|squeeze|expand|repeat|sum|mean|norm|exp|log|sigmoid|tanh|softmax|cumsum|flip|pow|sqrt|rsqrt|clamp"
    "|masked_fill|float|to|type_as|contiguous"
)
"""Attributes that belong to tensors and layers wherever they stand behind anything but `self`."""
_ADDRESSING = re.compile(
    "best|excellent|genius|give|good|grade|great|high|highest|ignore|instructions?|judge|marks?|novel|perfect|please"
    "|prompt|rating|reward|scores?|ten"
)
"""A library's name with one of these is hidden: nothing is lost, and nobody is spoken to."""
_LONGEST = 32
_HIDDEN = "name"


def in_order(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, as they are read."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from in_order(child)


def plain(word: str) -> str:
    """A library's name as it is shown."""
    is_addressing = any(_ADDRESSING.fullmatch(part) for part in re.findall("[a-z]+", _snake(word)))
    is_long = len(word) > _LONGEST or not re.fullmatch(r"[A-Za-z_]\w*", word, re.ASCII)
    return _HIDDEN if is_addressing or is_long else word


class Names:
    """What every name of a program is called."""

    def __init__(self, tree: ast.Module) -> None:
        self._imported: dict[str, str] = {}
        self._bound: dict[str, str] = {}
        """Attributes under '.NAME', everything else under 'NAME'."""
        self._arguments: set[str] = set()
        self._methods: set[int] = set()
        self._counts: Counter[str] = Counter()
        nodes = list(in_order(tree))
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._imported |= {_local(alias): plain(alias.name.rpartition(".")[2]) for alias in node.names}
        for node in nodes:
            self._bind(node)

    def of_name(self, word: str) -> str:
        """Of a variable, function or class."""
        if word in self._bound:
            return self._bound[word]
        if word in self._imported:
            return self._imported[word]
        return word if hasattr(builtins, word) else _HIDDEN

    def of_method(self, word: str) -> str:
        """Of a function that is defined in a class."""
        return self._bound.get(f".{word}", word)

    def of_attribute(self, owner: ast.expr, word: str) -> str:
        """Of an attribute of `owner`."""
        key = f".{word}"
        is_own = key in self._bound and (_is_self(owner) or not _TENSORS.fullmatch(word))
        return self._bound[key] if is_own else plain(word)

    def of_keyword(self, callee: ast.expr, word: str) -> str:
        """Of an argument that is passed by its name."""
        return self.of_name(word) if word in self._arguments and self._is_own(callee) else plain(word)

    def of_text(self, text: str) -> str | None:
        """Of the attribute that a text names; None where it names none."""
        return self._bound.get(f".{text}")

    def _is_own(self, callee: ast.expr) -> bool:
        match callee:
            case ast.Name(id=word):
                return word in self._bound
            case ast.Attribute(attr=word):
                return f".{word}" in self._bound
            case _:
                return False

    def _bind(self, node: ast.AST) -> None:
        match node:
            case ast.ClassDef():
                self._bind_class(node)
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word):
                if id(node) not in self._methods:
                    self._add(word, "function")
            case ast.arg(arg=word):
                self._arguments.add(word)
                self._keep(word) if word in _ARGUMENTS else self._add(word, "v")
            case ast.Name(id=word, ctx=ast.Store()) | ast.ExceptHandler(name=str(word)):
                self._add(word, "v")
            case ast.MatchAs(name=str(word)) | ast.MatchStar(name=str(word)) | ast.MatchMapping(rest=str(word)):
                self._add(word, "v")
            case _:
                self._bind_attribute(node)

    def _bind_class(self, node: ast.ClassDef) -> None:
        self._keep(node.name) if node.name == _CLASS else self._add(node.name, "Part")
        for method in methods_of(node):
            self._methods.add(id(method))
            if method.name not in _METHODS:
                self._add(f".{method.name}", "function")

    def _bind_attribute(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=word) as target], value=value) if _is_self(target.value):
                self._add(f".{word}", self._maker(value))
            case ast.Attribute(attr=word, ctx=ast.Store(), value=owner) if _is_self(owner):
                self._add(f".{word}", "field")
            case ast.Call(func=ast.Attribute(attr=how), args=[ast.Constant(value=str(word)), *_]):
                if how in _REGISTERING:
                    self._add(f".{word}", _REGISTERING[how])
            case _:
                pass

    def _keep(self, word: str) -> None:
        self._bound.setdefault(word, word)

    def _add(self, key: str, kind: str) -> None:
        if key in self._bound:
            return
        self._counts[kind] += 1
        self._bound[key] = f"{kind}{self._counts[kind]}"

    def _maker(self, value: ast.expr) -> str:
        """'linear' for `nn.Linear(...)`, 'part' for what the program makes itself, else 'field'."""
        match value:
            case ast.Call(func=ast.Attribute(attr=word, value=owner)) if not _is_self(owner):
                return _snake(plain(word))
            case ast.Call(func=ast.Name(id=word)) if word in self._imported:
                return _snake(self._imported[word])
            case ast.Call(func=ast.Name()):
                return "part"
            case ast.Name(id=word) if word in _ARGUMENTS:
                return word
            case _:
                return "field"


def methods_of(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that stand in a class itself."""
    return [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]


def _local(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _snake(word: str) -> str:
    """'short_convolution' for 'ShortConvolution'."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", word).lower()

"""Tokens to a syntax tree.

Recursive only where the source nests; operators of one nesting level are collected first and
folded by precedence afterwards, so that long chains cost neither stack nor depth.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

from orchestrator.language.cel import macros
from orchestrator.language.cel.errors import CelSyntaxError
from orchestrator.language.cel.lexer import RESERVED, Token, tokens_of
from orchestrator.language.cel.limits import INT_MAX, MAX_DEPTH
from orchestrator.language.cel.syntax import (
    Call,
    Chain,
    Conditional,
    Index,
    ListOf,
    Literal,
    Logical,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
    children,
)
from orchestrator.language.cel.values import UInt

_LEVELS: Final[tuple[frozenset[str], ...]] = (  # from the tightest
    frozenset({"*", "/", "%"}),
    frozenset({"+", "-"}),
    frozenset({"<", "<=", ">", ">=", "==", "!=", "in"}),
    frozenset({"&&"}),
    frozenset({"||"}),
)
_OPERATORS: Final = frozenset().union(*_LEVELS)
_SLIPS: Final = {"and": "&&", "or": "||", "not": "!", "is": "=="}


def parse(source: str) -> Node:
    """The syntax tree of an expression, macros recognised.

    Raises:
        CelSyntaxError: Where the source stops being CEL, or nests deeper than the limit.
    """
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = tokens_of(source)
        self.at = 0
        self.nesting = 0

    def whole(self) -> Node:
        if self.tokens[0].kind == "end":
            raise CelSyntaxError("the expression is empty", self.source, 0)
        tree = self._expression()
        if self._next.kind != "end":
            self._unexpected(self._next)
        return tree

    # -- tokens

    @property
    def _next(self) -> Token:
        return self.tokens[self.at]

    def _take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _accept(self, kind: str) -> bool:
        if self._next.kind == kind:
            self.at += 1
            return True
        return False

    def _expect(self, kind: str, opened: Token) -> None:
        if not self._accept(kind):
            self._unexpected(self._next, f"`{opened.text}` is closed by `{kind}`")

    def _unexpected(self, token: Token, hint: str | None = None) -> NoReturn:
        if token.kind == "end":
            raise CelSyntaxError("the expression ends too early", self.source, token.offset, 1, hint)
        slip = _SLIPS.get(token.text.lower())
        if slip and token.kind == "name":
            hint = f"CEL writes `{slip}`"
        elif hint is None and self.at and self.tokens[self.at - 1].text == "not":
            hint = "CEL writes `!` for `not`"
        raise CelSyntaxError(f"unexpected `{token.text}`", self.source, token.offset, len(token.text), hint)

    @property
    def _end(self) -> int:
        last = self.tokens[self.at - 1]
        return last.offset + (len(last.text) + 2 if last.kind == "quoted name" else len(last.text))

    def _made(self, node: Node) -> Node:
        node.depth = 1 + max((child.depth for child in children(node)), default=0)
        if node.depth > MAX_DEPTH:
            self._too_deep(node.offset)
        return node

    def _too_deep(self, offset: int) -> NoReturn:
        raise CelSyntaxError(f"nested deeper than {MAX_DEPTH} levels", self.source, offset, 1)

    # -- grammar

    def _expression(self) -> Node:
        """A conditional; a chain of them is built from its end."""
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            self._too_deep(self._next.offset)
        choices: list[tuple[Node, Node]] = []
        tail = self._operators()
        while self._next.kind == "?":
            question = self._take()
            then = self._expression()
            if not self._accept(":"):
                self._unexpected(self._next, f"the `?` at column {question.offset + 1} needs a `:`")
            choices.append((tail, then))
            tail = self._operators()
        for condition, then in reversed(choices):
            node = Conditional(condition, then, tail, offset=condition.offset, end=tail.end)
            tail = self._made(node)
        self.nesting -= 1
        return tail

    def _operators(self) -> Node:
        operands = [self._unary()]
        operators: list[str] = []
        while self._next.kind in _OPERATORS or (self._next.kind == "name" and self._next.text == "in"):
            operators.append(self._take().text)
            operands.append(self._unary())
        for level in _LEVELS:
            if not operators:
                break
            operands, operators = self._fold(level, operands, operators)
        return operands[0]

    def _fold(self, level: frozenset[str], operands: list[Node], operators: list[str]) -> tuple[list[Node], list[str]]:
        """Each run of operators of this level becomes one node."""
        folded, left = [operands[0]], []
        run: list[tuple[str, Node]] = []
        for operator, operand in zip(operators, operands[1:], strict=True):
            if operator in level:
                run.append((operator, operand))
                continue
            folded[-1] = self._joined(folded[-1], run)
            run = []
            left.append(operator)
            folded.append(operand)
        folded[-1] = self._joined(folded[-1], run)
        return folded, left

    def _joined(self, first: Node, run: list[tuple[str, Node]]) -> Node:
        if not run:
            return first
        end = run[-1][1].end
        if run[0][0] in ("&&", "||"):
            operands = [first, *(operand for _, operand in run)]
            return self._made(Logical(run[0][0], operands, offset=first.offset, end=end))
        return self._made(Chain(first, list(run), offset=first.offset, end=end))

    def _unary(self) -> Node:
        """A run of `!` or of `-`, without recursion: pairs of `-` cancel out, of `!` one pair is left to check."""
        start = self._next
        if start.kind not in ("!", "-"):
            return self._member(self._primary())
        count = 0
        while self._accept(start.kind):
            count += 1
        if start.kind == "-" and self._is_number():
            count -= 1
            operand = self._member(self._negative_number())
        elif self._next.kind in ("!", "-"):
            self._unexpected(self._next, "`!` and `-` do not mix; use parentheses")
        else:
            operand = self._member(self._primary())
        for _ in range(count % 2 if start.kind == "-" else min(count, 2 - count % 2)):
            operand = self._made(Unary(start.kind, operand, offset=start.offset, end=operand.end))
        return operand

    def _is_number(self) -> bool:
        return type(self._next.value) in (int, float)

    def _negative_number(self) -> Node:
        token = self._take()
        return Literal(-token.value, offset=token.offset - 1, end=self._end)

    def _member(self, node: Node) -> Node:
        while True:
            if self._next.kind == ".":
                self._take()
                node = self._field(node)
            elif self._next.kind == "[":
                opened = self._take()
                key = self._expression()
                self._expect("]", opened)
                node = self._made(Index(node, key, offset=node.offset, end=self._end))
            elif self._next.kind == "{" and isinstance(node, Name | Select):
                self._no_messages(node)
            else:
                return node

    def _no_messages(self, node: Node) -> NoReturn:
        message = "there are no message types to build here"
        raise CelSyntaxError(
            message, self.source, node.offset, node.end - node.offset, 'a map is written {"key": value}'
        )

    def _field(self, node: Node) -> Node:
        token = self._take()
        if token.kind == "quoted name":
            return self._made(Select(node, token.text, offset=node.offset, end=self._end))
        if token.kind != "name" or token.text == "in":
            self._unexpected(token, "a field name is expected after `.`")
        if self._next.kind == "(":
            args = self._arguments()
            return self._call(token, node, args)
        return self._made(Select(node, token.text, offset=node.offset, end=self._end))

    def _arguments(self) -> list[Node]:
        opened = self._take()
        args: list[Node] = []
        if self._accept(")"):
            return args
        args.append(self._expression())
        while self._accept(","):
            args.append(self._expression())
        self._expect(")", opened)
        return args

    def _call(self, name: Token, target: Node | None, args: list[Node]) -> Node:
        offset = target.offset if target else name.offset
        call = Call(name.text, target, args, name.offset, offset=offset, end=self._end)
        return self._made(macros.expand(call, self.source))

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "literal":
            return self._literal(token)
        if token.kind == "name":
            return self._named(token, "")
        if token.kind == "." and self._next.kind == "name":
            return self._named(self._take(), ".")
        bracket = _BRACKETS.get(token.kind)
        if bracket is None:
            self._unexpected(token)
        return bracket(self, token)

    def _literal(self, token: Token) -> Node:
        if type(token.value) is int and token.value > INT_MAX and not isinstance(token.value, UInt):
            message = "this number does not fit a signed 64-bit integer"
            raise CelSyntaxError(message, self.source, token.offset, len(token.text))
        return Literal(token.value, offset=token.offset, end=self._end)

    def _named(self, token: Token, scope: str) -> Node:
        if token.text in RESERVED or token.text == "in":
            self._unexpected(token, "this word is reserved; it cannot be a name")
        if self._next.kind == "(":
            return self._call(token, None, self._arguments())
        return Name(scope + token.text, offset=token.offset - len(scope), end=self._end)

    def parenthesised(self, opened: Token) -> Node:
        inner = self._expression()
        self._expect(")", opened)
        return inner

    def list(self, opened: Token) -> Node:
        items: list[Node] = []
        while self._next.kind != "]":
            items.append(self._expression())
            if not self._accept(","):
                break
        self._expect("]", opened)
        return self._made(ListOf(items, offset=opened.offset, end=self._end))

    def map(self, opened: Token) -> Node:
        entries: list[tuple[Node, Node]] = []
        while self._next.kind != "}":
            key = self._expression()
            if not self._accept(":"):
                self._unexpected(self._next, "a map is written {key: value}")
            entries.append((key, self._expression()))
            if not self._accept(","):
                break
        self._expect("}", opened)
        return self._made(MapOf(entries, offset=opened.offset, end=self._end))


_BRACKETS: Final[dict[str, Callable[[Any, Token], Node]]] = {
    "(": _Parser.parenthesised,
    "[": _Parser.list,
    "{": _Parser.map,
}

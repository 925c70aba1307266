"""From the words of an expression to functions: a parser by recursive descent.

either     = all {("||" | "or") all}
all        = opposite {("&&" | "and") opposite}
opposite   = "not" opposite | relation
relation   = sum [("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in") sum]
sum        = product {("+" | "-") product}
product    = unary {("*" | "/" | "%") unary}
unary      = ("!" | "-") unary | called
called     = operand {"." method "(" [either] ")"}
operand    = number | text | "true" | "false" | "null" | variable | "[" [list] "]"
           | "(" either ")" | "has" "(" variable ")" | "size" "(" either ")"
"""

import difflib
from collections.abc import Callable, Iterable, Mapping

from llmproxy_core.errors import ExpressionError
from llmproxy_core.expressions import checks, operators
from llmproxy_core.expressions.methods import NAMES
from llmproxy_core.expressions.tokens import Token, tokens, wrong
from llmproxy_core.expressions.values import Answer, Operand, Type, reader

DEEPEST = 32
"""Levels of brackets and signs in front."""
CONSTANTS: dict[str, tuple[Type, object]] = {
    "true": ("bool", True),
    "false": ("bool", False),
    "null": ("null", None),
}
RELATIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})


class Parser:
    """Reads one expression; raises ExpressionError."""

    __slots__ = ("at", "depth", "names", "same", "text", "tokens", "variables")

    def __init__(self, text: str, variables: Mapping[str, Type], same: Mapping[str, str]) -> None:
        self.text = text
        self.variables = variables
        self.same = same
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.names: set[str] = set()

    def whole(self) -> Operand:
        if len(self.tokens) == 1:
            raise self.wrong(self.now, "an expression is missing")
        found = self.either()
        if self.at != len(self.tokens) - 1:
            raise self.wrong(self.now, f"{self.now.said!r} is one too many")
        if found.kind != "bool":
            said = f"an expression must say true or false; this is a {found.kind}"
            raise wrong(self.text, found.start, said)
        return found

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def wrong(self, token: Token, said: str) -> ExpressionError:
        return wrong(self.text, token.start, said)

    def take(self, *signs: str) -> Token | None:
        token = self.now
        if token.kind == "sign" and token.said in signs:
            self.at += 1
            return token
        return None

    def need(self, sign: str) -> Token:
        found = self.take(sign)
        if found is None:
            raise self.wrong(self.now, f"{sign!r} is missing before {self.now.said or 'the end'!r}")
        return found

    def deeper(self, read: Callable[[], Operand]) -> Operand:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(self.now, f"nested more than {DEEPEST} levels deep")
        found = read()
        self.depth -= 1
        return found

    def either(self) -> Operand:
        return self.joined(self.every, operators.some, "||")

    def every(self) -> Operand:
        return self.joined(self.opposite, operators.every, "&&")

    def joined(
        self, read: Callable[[], Operand], join: Callable[[tuple[Answer, ...]], Answer], sign: str
    ) -> Operand:
        first = read()
        parts = [first]
        while self.take(sign):
            parts.append(read())
        if len(parts) == 1:
            return first
        checks.all_bool(self.text, parts, sign)
        return Operand("bool", join(tuple(part.answer for part in parts)), first.start)

    def opposite(self) -> Operand:
        sign = self.take("not")
        return self.opposed(sign, self.deeper(self.opposite)) if sign else self.relation()

    def opposed(self, sign: Token, part: Operand) -> Operand:
        checks.all_bool(self.text, [part], sign.said)
        return Operand("bool", operators.negated(part.answer), sign.start)

    def relation(self) -> Operand:
        left = self.sum()
        sign = self.now
        if sign.kind != "sign" or sign.said not in RELATIONS | {"not"}:
            return left
        self.at += 1
        if sign.said == "not":
            self.need("in")
            found = checks.related(self.text, left, Token("sign", "in", sign.start), self.sum())
            return Operand("bool", operators.negated(found.answer), left.start)
        found = checks.related(self.text, left, sign, self.sum())
        if self.now.said in RELATIONS and self.now.kind == "sign":
            raise self.wrong(self.now, "one comparison at a time; join two with 'and'")
        return found

    def sum(self) -> Operand:
        return self.calculated(self.product, "+", "-")

    def product(self) -> Operand:
        return self.calculated(self.unary, "*", "/", "%")

    def calculated(self, read: Callable[[], Operand], *signs: str) -> Operand:
        left = read()
        while sign := self.take(*signs):
            right = read()
            checks.all_numbers(self.text, [left, right], sign.said)
            answer = operators.calculated(left.answer, right.answer, sign.said)
            left = Operand("number", answer, left.start)
        return left

    def unary(self) -> Operand:
        if sign := self.take("!"):
            return self.opposed(sign, self.deeper(self.unary))
        if sign := self.take("-"):
            part = self.deeper(self.unary)
            checks.all_numbers(self.text, [part], "-")
            return Operand("number", operators.minus(part.answer), sign.start)
        return self.called(self.operand())

    def called(self, owner: Operand) -> Operand:
        while self.take("."):
            method = self.now
            if method.said in MACROS:
                raise self.wrong(method, f"there is no {method.said}(): a policy sees one finding")
            if method.said not in NAMES or method.kind != "name":
                raise self.wrong(method, _unknown("method", method.said, NAMES))
            self.at += 1
            self.need("(")
            given = None if self.now.said == ")" else self.deeper(self.either)
            self.need(")")
            owner = checks.called(self.text, owner, method, given)
        return owner

    def operand(self) -> Operand:
        token = self.now
        self.at += 1
        if token.kind == "text":
            return _constant("text", token.said, token)
        if token.kind == "number":
            number = token.said
            return _constant("number", int(number) if number.isdigit() else float(number), token)
        if token.kind == "name":
            return self.named(token)
        if token.kind == "sign" and token.said == "(":
            found = self.deeper(self.either)
            self.need(")")
            return found
        if token.kind == "sign" and token.said == "[":
            return self.deeper(lambda: self.list_of_texts(token))
        self.at -= 1
        said = f"a value is missing before {token.said!r}" if token.said else "a value is missing"
        raise self.wrong(token, said)

    def list_of_texts(self, opening: Token) -> Operand:
        texts: list[str] = []
        while not self.take("]"):
            if texts:
                self.need(",")
            if self.now.kind != "text":
                raise self.wrong(self.now, "a list is of texts in quotes: ['a', 'b']")
            texts.append(self.now.said)
            self.at += 1
        return _constant("list", tuple(texts), opening)

    def named(self, token: Token) -> Operand:
        if token.said in CONSTANTS:
            type_, value = CONSTANTS[token.said]
            return _constant(type_, value, token)
        if token.said in ("has", "size") and self.take("("):
            if token.said == "has":
                inner = self.variable()
                found = Operand("bool", operators.known(inner.answer), token.start)
            else:
                found = checks.called(self.text, self.deeper(self.either), token, None)
            self.need(")")
            return found
        self.at -= 1
        return self.variable()

    def variable(self) -> Operand:
        """The longest dotted name that is known: `model.startsWith` is a method of `model`."""
        first = self.now
        if first.kind != "name":
            raise self.wrong(first, "the name of a variable is missing")
        path, ends = self.dotted()
        for length in range(len(path), 0, -1):
            name = ".".join(path[:length])
            if name in self.variables:
                self.at = ends[length - 1]
                type_ = self.variables[name]
                fact = self.same.get(name, name)
                self.names.add(fact)
                return Operand(type_, reader(fact, type_), first.start)
        raise self.wrong(first, _unknown("variable", ".".join(path), self.variables))

    def dotted(self) -> tuple[list[str], list[int]]:
        """The names along points from here on, and where each ends (index of the next token)."""
        path, ends = [self.now.said], [self.at + 1]
        while self.tokens[ends[-1]].said == "." and self.tokens[ends[-1] + 1].kind == "name":
            path.append(self.tokens[ends[-1] + 1].said)
            ends.append(ends[-1] + 2)
        return path, ends


def _constant(type_: Type, value: object, token: Token) -> Operand:
    return Operand(type_, lambda facts: value, token.start, constant=True)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"no {what} is called {name!r}; did you mean {' or '.join(near)}?"
    return f"no {what} is called {name!r}; there are {', '.join(names)}"

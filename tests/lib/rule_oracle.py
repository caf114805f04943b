#!/usr/bin/python3
"""rule_oracle: Python's own answers, for the rule language.

    rule_oracle.py SEED COUNT   lines for rule_compare: EXPRESSION, answer, tags

Every second expression is a comparison of the text of a value, so that types and digits are
compared and not only truth. Python's ints are held to 64 bits and its memory to little, as rules
are; an expression whose result is somewhere in between is left out. What rules have beyond Python
is written here a second time.
"""
import ast
import datetime
import math
import re
import sys
import warnings
from unicodedata import category

sys.dont_write_bytecode = True
from rule_generator import Generator

# ---- what rules cannot do ----


class Skip(Exception):
    """Neither small nor surely too large for a rule."""


def checked(value):
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise OverflowError
    if isinstance(value, (str, list, tuple, set, dict)) and len(value) > 2000:
        raise Skip
    if isinstance(value, str) and any(c > "\xff" and category(c) == "Cn" for c in value):
        raise Skip  # written differently in a list
    return value


def binary(sign, a, b):
    if sign == "Mod" and isinstance(a, str):
        return formatted(a, b)
    if sign == "Mult":
        for sequence, times in ((a, b), (b, a)):
            if isinstance(sequence, (str, list, tuple)) and isinstance(times, int):
                if sequence and times > 2**24:
                    raise MemoryError
                if len(sequence) * times > 2000:
                    raise Skip
        return checked(a * b)
    if sign == "Pow":
        return power(a, b)
    return checked({"Add": lambda: a + b, "BitOr": lambda: a | b, "BitXor": lambda: a ^ b,
                    "BitAnd": lambda: a & b, "Sub": lambda: a - b, "Div": lambda: a / b,
                    "FloorDiv": lambda: a // b, "Mod": lambda: a % b}[sign]())


def formatted(text, value):
    plain(value)
    values = value if isinstance(value, tuple) else [value]
    values = value.values() if isinstance(value, dict) else values
    if any(isinstance(v, float) and math.isfinite(v) and abs(v) >= 2**63 for v in values):
        raise Skip  # Python's int of it has no bound
    if "*" in text and any(isinstance(v, int) and abs(v) > 1000 for v in values):
        raise Skip
    return checked(text % value)


def plain(value):
    """What is not in an order of its own cannot be compared with Python's."""
    if isinstance(value, set) and len(value) > 1:
        raise Skip
    if isinstance(value, dict):
        plain(list(value.items()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            plain(item)
    return value


def power(a, b):
    if isinstance(a, int) and isinstance(b, int) and abs(a) > 1 and b > 64:
        raise OverflowError
    value = a ** b
    if isinstance(value, complex):
        raise ValueError
    return checked(value)


def add_all(items, start=0):
    if isinstance(start, str):
        raise TypeError
    for item in items:
        start = checked(start + item)
    return start


def has_nan(value):
    if isinstance(value, dict):
        value = list(value.items())
    return value != value or (isinstance(value, (list, tuple, set)) and any(map(has_nan, value)))


def has_set(value):
    return isinstance(value, set) or (isinstance(value, (list, tuple)) and any(map(has_set, value)))


def rounded(number, *places):
    if isinstance(number, int) and places and isinstance(places[0], int) and places[0] < -400:
        return 0  # Python would make 10 to that power first
    return round(number, *places)


def in_order(items):
    items = list(items)
    if has_nan(items) or has_set(items):
        raise Skip  # the order depends on the algorithm
    return sorted(items)


def set_of(items=()):
    items = list(items)
    if has_nan(items):
        raise Skip  # Python knows a NaN again by its address
    return set(items)


def divided(a, b):
    if isinstance(a, str):
        raise TypeError
    return checked(a // b), checked(a % b)


def character(code):
    if chr(code) > "\xff" and not chr(code).isprintable() and not chr(code).isspace():
        raise Skip  # written differently in a list
    return chr(code)


# ---- what rules have beyond Python ----


def date_of(text):
    year, _, month, day = re.fullmatch(r"([0-9]{4})([.-]?)([0-9]{2})\2([0-9]{2})",
                                       text.strip(" ")).groups()
    return datetime.date(int(year), int(month), int(day))


def time_of(text):
    match = re.fullmatch(r"([01][0-9]|2[0-3])(?::?([0-5][0-9])(?::?([0-5][0-9]|60)"
                         r"(\.[0-9]{1,6})?)?)?", text.strip(" "))
    hours, minutes, seconds, fraction = match.groups("0")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(fraction)


def age_of(text, at=None):
    if at is None:
        value, unit = re.fullmatch("([0-9]{1,3})([DWMY])", text.strip(" ")).groups()
        return int(value) * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12.0, "Y": 1.0}[unit]
    birth, at = date_of(text), date_of(at)
    if at < birth:
        raise ValueError
    if at.year == datetime.MAXYEAR:
        raise Skip

    def birthday(year):
        try:
            return birth.replace(year=year)
        except ValueError:
            return datetime.date(year, 3, 1)
    years = at.year - birth.year - (birthday(at.year) > at)
    last, following = birthday(birth.year + years), birthday(birth.year + years + 1)
    return years + (at - last).days / (following - last).days


def any_of(words, text):
    if not isinstance(words, (list, tuple)) or not isinstance(text, str):
        raise TypeError
    return any(word.casefold() in text.casefold() for word in words)


# What does not depend on the order of a set.
UNORDERED = ("len", "set", "any", "all", "bool", "sorted", "int", "float", "round", "abs")

OURS = {"pow": power, "divmod": divided, "set": set_of,
        **{name: getattr(math, name) for name in ("floor", "ceil", "trunc", "sqrt", "log10")},
        "sum": add_all, "round": rounded, "sorted": in_order, "chr": character,
        "any_of": any_of, "age": age_of, "date": lambda text: date_of(text).toordinal(),
        "time": time_of, "search": lambda pattern, text: re.search(pattern, text) is not None,
        "match": lambda pattern, text: re.match(pattern, text) is not None}


class Guard(ast.NodeTransformer):
    """Puts checked() around everything that makes numbers or long values."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return ast.Call(ast.Name("binary", ast.Load()),
                        [ast.Constant(type(node.op).__name__), node.left, node.right], [])

    def guard(self, node):
        self.generic_visit(node)
        return ast.Call(ast.Name("checked", ast.Load()), [node], [])

    visit_UnaryOp = guard

    def visit_Call(self, node):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        call = self.guard(node)
        if name in ("keys", "values", "items"):  # lists in rules
            call.args[0] = ast.Call(ast.Name("listed", ast.Load()), [node], [])
        elif name not in UNORDERED:
            node.args = [ast.Call(ast.Name("plain", ast.Load()), [a], []) for a in node.args]
        return call


class Tags:
    def __init__(self, values):
        self.values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name):
        return self.values.get(name.lower(), "")

    __getattr__ = __getitem__

    def __contains__(self, name):
        return not name.startswith("x")  # as any_name() of rule_compare has it


def answer(text, tags):
    """(True, value) or (False, exception)"""
    tree = ast.parse(re.sub(r"@(\w+)@", r"tags.\1", text), mode="eval")
    code = compile(ast.fix_missing_locations(Guard().visit(tree)), "rule", "eval")
    try:
        return True, eval(code, {"tags": Tags(tags), "binary": binary, "checked": checked, "plain": plain,
                                "listed": list, **OURS})
    except Skip:
        raise
    except Exception as error:
        return False, error


def escape(text):
    for character, letter in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, letter)
    return text


def written(text, value, tags):
    """A comparison of how the value is written."""
    quoted = str([value])
    try:
        plain(value)
        text = "str([%s]) == %s" % (text, ascii(quoted))
        done, value = (True, True) if quoted.isascii() else answer(text, tags)
    except Skip:
        if has_nan(value) or re.search(r"\binf\b|-9223372036854775808", quoted):
            raise
        text = "[%s] == %s" % (text, ascii([value]))
        done, value = True, True
    return text, done, value


def expressions(seed, count):
    warnings.simplefilter("ignore")
    generator = Generator(int(seed))
    left = int(count)
    while left > 0:
        text, tags = generator.expression(), generator.tags()
        try:
            done, value = answer(text, tags)
            if done and left % 2:
                text, done, value = written(text, value, tags)
        except (Skip, SyntaxError):
            continue
        expected = ("true" if value else "false") if done else "fail"
        fields = [text, expected] + ["%s=%s" % tag for tag in tags.items()]
        print("\t".join(map(escape, fields)))
        left -= 1


if __name__ == "__main__":
    expressions(*sys.argv[1:])

#!/usr/bin/python3
"""rule_oracle: Python's own answers, for the rule language.

    rule_oracle.py expressions SEED COUNT   lines for test_rule: EXPRESSION, answer, tags
    rule_oracle.py case-tables              src/lib/rule_case_tables.h

Every second expression is a comparison of the text of a value, so that types and digits are
compared and not only truth. Python's ints are held to 64 bits and its memory to little, as rules
are; an expression whose result is somewhere in between is left out.
"""
import ast
import random
import re
import sys
import unicodedata
import warnings

# ---- what rules cannot do ----


class Skip(Exception):
    """Neither small nor surely too large for a rule."""


def checked(value):
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise OverflowError
    if isinstance(value, (str, list, tuple)) and len(value) > 2000:
        raise Skip
    return value


def binary(sign, a, b):
    if sign == "Mod" and isinstance(a, str):
        raise TypeError  # no formatting in rules
    if sign == "Mult":
        for sequence, times in ((a, b), (b, a)):
            if isinstance(sequence, (str, list, tuple)) and isinstance(times, int):
                if sequence and times > 2**24:
                    raise MemoryError
                if len(sequence) * times > 2000:
                    raise Skip
        return checked(a * b)
    return checked({"Add": lambda: a + b, "Sub": lambda: a - b, "Div": lambda: a / b,
                    "FloorDiv": lambda: a // b, "Mod": lambda: a % b}[sign]())


class Guard(ast.NodeTransformer):
    """Puts checked() around everything that makes numbers or long values."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return ast.Call(ast.Name("binary", ast.Load()),
                        [ast.Constant(type(node.op).__name__), node.left, node.right], [])

    def guard(self, node):
        self.generic_visit(node)
        return ast.Call(ast.Name("checked", ast.Load()), [node], [])

    visit_Call = visit_UnaryOp = guard


class Tags:
    def __init__(self, values):
        self.values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name):
        return self.values.get(name.lower(), "")

    __getattr__ = __getitem__


def answer(text, tags):
    """(True, value) or (False, exception)"""
    tree = ast.parse(re.sub(r"@(\w+)@", r"tags.\1", text), mode="eval")
    code = compile(ast.fix_missing_locations(Guard().visit(tree)), "rule", "eval")
    try:
        return True, eval(code, {"tags": Tags(tags), "binary": binary, "checked": checked})
    except Skip:
        raise
    except Exception as error:
        return False, error


# ---- expressions ----

NAMES = ["Modality", "SeriesDescription", "SliceThickness", "PatientName", "ImageType",
         "InstanceNumber", "StationName", "EchoTime"]
WORDS = ["", "CT", "MR", "cine", "CINE", "Thorax 1.0 CINE", "1.5", "7", " 12 ", "-3", "1e3", "0",
         "+4.", ".5", "1_000", "nan", "-Inf", "0x10", "ORIGINAL\\PRIMARY\\AXIAL", "a,b,,c",
         "  x  y ", "Müller^Jörg", "STRASSE", "straße", "İstanbul", "ΟΔΟΣ^ΑΣ.β", "山田^太郎", "٣٤",
         "\u3000\xa07\x85", "ﬁn", "ǅ", "😀x😀", "it's", 'say "x"', "tab\tnew\nline",
         "9223372036854775807", "9223372036854775808", "aaaa", "aa", "a", " "]
CHARACTERS = "aAbBxX01 9.,-+_eE^\\/'\"\t\n\xa0äÖßΣσςıİ\u0301山😀\x1c\x1f"
INTS = [100, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 2, 2**63 - 1]
FLOATS = ["0.0", "1.5", ".5", "2.", "1e3", "1E-7", "1e16", "123456789.125", "0.1", "3.3", "1e308",
          "1e400", "5e-324", "9007199254740993.0", "9.223372036854775807e18"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice

    def word(self):
        if self.random.random() < 0.7:
            return self.pick(WORDS)
        return "".join(self.pick(CHARACTERS) for _ in range(self.random.randrange(8)))

    def tags(self):
        return {name: self.word() for name in NAMES if self.random.random() < 0.8}

    def string(self):
        word = self.word()
        style = self.random.randrange(6)
        if style == 0:
            return ascii(word)
        if style == 1 and not re.search(r"[\\'\n]", word):
            return "r'" + word + "'"
        if style == 2 and not re.search(r"[\\\"]", word):
            return '"""' + word + '"""'
        if style == 3:
            return "".join("\\U%08x" % ord(c) if ord(c) > 255 else "\\%03o" % ord(c)
                           for c in word).join("''")
        if style == 4:
            cut = len(word) // 2
            return repr(word[:cut]) + self.pick(["", " "]) + repr(word[cut:])
        return repr(word)

    def tag(self):
        name = self.pick(NAMES)
        if self.random.random() < 0.3:
            name = self.pick([name.lower(), name.upper()])
        return self.pick(["tags.%s", "tags.%s", "tags['%s']", 'tags["%s"]', "@%s@"]) % name

    def text(self, depth):
        kind = self.random.randrange(10) if depth > 0 else self.random.randrange(2)
        if kind < 2:
            return (self.tag, self.string)[kind]()
        if kind == 2:
            return "(%s + %s)" % (self.text(depth - 1), self.text(depth - 1))
        if kind == 3:
            return "str(%s)" % self.any(depth - 1)
        if kind == 4:
            return self.any(depth - 1) + self.subscript(depth - 1)
        if kind == 5:
            return "(%s * %s)" % (self.text(depth - 1), self.number(depth - 1))
        if kind == 6:
            arguments = [self.text(depth - 1), self.text(depth - 1)]
            if self.random.random() < 0.3:
                arguments.append(self.number(depth - 1))
            return "%s.replace(%s)" % (self.any(depth - 1, 0.9, self.text), ", ".join(arguments))
        return "%s.%s(%s)" % (self.any(depth - 1, 0.95, self.text),
                              self.pick(["lower", "upper", "strip", "lstrip", "rstrip"]), "")

    def subscript(self, depth):
        if self.random.random() < 0.5:
            return "[%s]" % self.any(depth, 0.9, self.number)
        bounds = [self.pick(["", "", "0", "1", "2", "9", "-1", "-2", "-9",
                             self.any(depth, 0.9, self.number)])
                  for _ in range(self.pick([2, 3, 3]))]
        return "[%s]" % ":".join(bounds)

    def number(self, depth):
        kind = self.random.randrange(9) if depth > 0 else self.random.randrange(2)
        if kind == 0:
            return self.integer()
        if kind == 1:
            return self.sign() + self.pick(FLOATS)
        if kind == 2:
            return self.pick(["int", "float", "len", "bool"]) + "(%s)" % self.any(depth - 1)
        if kind == 3:
            return self.pick(["-", "+", "- -", "not "]).join(["(", self.number(depth - 1)]) + ")"
        if kind == 4:
            return "%s.%s(%s)" % (self.any(depth - 1, 0.9, self.text), self.pick(["find", "count"]),
                                  self.any(depth - 1, 0.9, self.text))
        if kind == 5:
            return "len(%s)" % self.any(depth - 1, 0.9, self.text)
        a, b = self.any(depth - 1, 0.97, self.number), self.any(depth - 1, 0.97, self.number)
        sign = self.pick(["+", "-", "*", "/", "//", "%"])
        return self.pick(["(%s %s %s)", "%s %s %s", "%s%s%s"]) % (a, sign, b)

    def integer(self):
        value = self.random.randrange(13) if self.random.random() < 0.7 else self.pick(INTS)
        return self.sign() + self.pick([str, str, str, hex, bin, oct, "{:_}".format])(value)

    def sign(self):
        return "-" if self.random.random() < 0.3 else ""

    def items(self, depth):
        if self.random.random() < 0.2:
            arguments = self.pick(["", "None", "','", "' '", self.any(depth - 1, 0.9, self.text)])
            if arguments and self.random.random() < 0.4:
                arguments += ", " + self.number(0)
            return "%s.split(%s)" % (self.any(depth - 1, 0.95, self.text), arguments)
        items = [self.any(depth - 1) for _ in range(self.random.randrange(4))]
        if self.random.random() < 0.5:
            return "[%s]" % ", ".join(items)
        return "(%s%s)" % (", ".join(items), "," if len(items) == 1 else "")

    def truth(self, depth):
        kind = self.random.randrange(9) if depth > 0 else self.random.randrange(1)
        if kind == 0:
            return self.pick(["True", "False", "None", "()", "[]"])
        if kind == 1:
            return "(%s)" % self.pick([" and ", " or "]).join(
                self.any(depth - 1) for _ in range(self.pick([2, 2, 3])))
        if kind == 2:
            return "(not %s)" % self.any(depth - 1)
        if kind == 3:
            return "(%s if %s else %s)" % tuple(self.any(depth - 1) for _ in range(3))
        if kind == 4:
            whole = self.pick([self.text, self.text, self.items])
            return "(%s %s %s)" % (self.any(depth - 1, 0.9, self.text), self.pick(["in", "not in"]),
                                   self.any(depth - 1, 0.95, whole))
        if kind == 5:
            parts = self.pick([self.text(depth - 1), "(%s, %s)" % (self.text(0), self.text(0)),
                               self.any(depth - 1)])
            return "%s.%s(%s)" % (self.any(depth - 1, 0.95, self.text),
                                  self.pick(["startswith", "endswith"]), parts)
        if kind == 6:
            return "(%s %s None)" % (self.any(depth - 1), self.pick(["is", "is not"]))
        of = self.pick([self.text, self.number, self.number, self.items])
        chain = [self.any(depth - 1, 0.9, of) for _ in range(self.pick([2, 2, 2, 3]))]
        text = chain[0]
        for operand in chain[1:]:
            text += " %s %s" % (self.pick(["==", "!=", "<", "<=", ">", ">=", "=="]), operand)
        return self.pick(["(%s)", "(%s)", "%s"]) % text

    def any(self, depth, likely=0, of=None):
        if of and self.random.random() < likely:
            return self.closed(of(max(depth, 0)))
        of = self.pick([self.text, self.text, self.number, self.number, self.items, self.truth])
        return self.closed(of(max(depth, 0)))

    def closed(self, text):
        """So that .method and [index] may follow."""
        return text if re.fullmatch(r"tags\.\w+|@\w+@", text) else "(" + text + ")"

    def expression(self):
        of = self.pick([self.truth, self.truth, self.number, self.text, self.items])
        return of(self.random.randrange(1, 5))


def escape(text):
    for character, letter in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, letter)
    return text


def expressions(seed, count):
    warnings.simplefilter("ignore")
    generator = Generator(int(seed))
    left = int(count)
    while left > 0:
        text, tags = generator.expression(), generator.tags()
        try:
            done, value = answer(text, tags)
        except (Skip, SyntaxError):
            continue
        if done and left % 2:
            quoted = str([value])
            text = "str([%s]) == %s" % (text, ascii(quoted))
            done, value = (True, True) if quoted.isascii() else answer(text, tags)
        expected = ("true" if value else "false") if done else "fail"
        fields = [text, expected] + ["%s=%s" % tag for tag in tags.items()]
        print("\t".join(map(escape, fields)))
        left -= 1


# ---- tables ----


def case_runs(change):
    """Characters that become one other character, as (first, last, step, delta)."""
    runs = []
    for code in range(0x110000):
        text = change(chr(code))
        if len(text) != 1 or ord(text) == code:
            continue
        delta = ord(text) - code
        if runs and runs[-1][3] == delta:
            first, last, step, _ = runs[-1]
            if (first == last and code - last in (1, 2)) or code - last == step:
                runs[-1] = (first, code, code - last, delta)
                continue
        runs.append((code, code, 1, delta))
    return runs


def set_runs(member):
    """Characters for which member() holds, as (first, last)."""
    runs = []
    for code in filter(lambda c: member(chr(c)), range(0x110000)):
        if runs and runs[-1][1] == code - 1:
            runs[-1] = (runs[-1][0], code)
        else:
            runs.append((code, code))
    return runs


# Python has no function for these two properties, but a sigma shows them.
def is_cased(c):
    return ("aΣ" + c).lower()[1] == "σ"


def is_ignorable(c):
    return not is_cased(c) and ("aΣ" + c + "a").lower()[1] == "σ"


def print_table(head, rows):
    print("static const " + head + "[] = {")
    line = ""
    for row in rows:
        if len(line) + len(row) > 89:
            print("\t" + line.rstrip())
            line = ""
        line += row + ", "
    print("\t" + line.rstrip() + "\n};")


def case_tables():
    print("/* rule_case_tables: Unicode %s; made by `tests/rule_oracle.py case-tables`. */"
          % unicodedata.unidata_version)
    print("/* clang-format off */")
    for name, change in (("to_lower", str.lower), ("to_upper", str.upper)):
        print_table("struct range " + name,
                    ["{ 0x%x, 0x%x, %d, %d }" % run for run in case_runs(change)])
    special = [(code, chr(code).upper()) for code in range(0x110000)]
    print_table("struct special to_upper_special",
                ["{ 0x%x, { %s } }" % (code, ", ".join(hex(ord(c)) for c in text))
                 for code, text in special if len(text) > 1])
    for name, member in (("cased", is_cased), ("ignorable", is_ignorable)):
        print_table("struct span " + name, ["{0x%x,0x%x}" % run for run in set_runs(member)])
    print_table("uint32_t zeros",
                [hex(c) for c in range(0x110000) if unicodedata.decimal(chr(c), None) == 0])


if __name__ == "__main__":
    commands = {"expressions": expressions, "case-tables": case_tables}
    commands[sys.argv[1]](*sys.argv[2:])

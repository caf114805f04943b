"""rule_generator: random expressions of the rule language, and random tags for them."""
import random
import re

NAMES = ["Modality", "SeriesDescription", "SliceThickness", "PatientName", "ImageType",
         "InstanceNumber", "StationName", "EchoTime"]
WORDS = ["", "CT", "MR", "cine", "CINE", "Thorax 1.0 CINE", "1.5", "7", " 12 ", "-3", "1e3", "0",
         "+4.", ".5", "1_000", "nan", "-Inf", "0x10", "ORIGINAL\\PRIMARY\\AXIAL", "a,b,,c",
         "  x  y ", "Müller^Jörg", "STRASSE", "straße", "İstanbul", "ΟΔΟΣ^ΑΣ.β", "山田^太郎", "٣٤",
         "\u3000\xa07\x85", "ﬁn", "ǅ", "😀x😀", "it's", 'say "x"', "tab\tnew\nline",
         "9223372036854775807", "9223372036854775808", "aaaa", "aa", "a", " "]
# Of the same meaning for Python and PCRE2, with the characters that are used here.
PATTERNS = [r"^[ ]*\d+", "[A-Z]{2,}", "(?i)ct|AA", r"\bx\b", "^$", "a+b?", r"(\w)\1", "[^,]+,",
            r"\.\d", "ü", "^.$", "[ΑΣ]", r"^\w+\W", r"\d{2}(?=\D|$)", "(?<!a)a(?!a)"]
DATES = ["20260101", "2026.02.28", "2026-02-29", "20240229", "19991231", "20260132", "00010101",
         " 20260101 ", "2026011", "99991231", "20000301", "2026-0101", "20080229", "20210228"]
TIMES = ["12", "1230", "123059.5", "12:30:59", "24", "2360", "235960.000001", "1230.5", "12:30:5",
         "123059.1234567", "00", "0000 ", "235959.999999"]
AGES = ["054Y", "006M", "3W", "000D", "1234Y", "12", "Y", "054y", "017Y", " 90D"]
CHARACTERS = "²½Ⅷªʰաაᏸǆŉ\u0345"
CHARACTERS += "aAbBxX01 9.,-+_eE^\\/'\"\t\n\xa0äÖßΣσςıİ\u0301山😀\x1c\x1f"
INTS = [100, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 2, 2**63 - 1]
KEYS = ["'CT'", "'MR'", "''", "'a'", "1", "2", "True", "0", "1.0", "2.5", "None", "(1, 'a')", "()", "'1'"]
DIRECTIVES = "ddiufFeEgGxXoscrssdf%"
TYPES = ["", "", "d", "d", "f", "f", "e", "E", "g", "G", "F", "x", "X", "o", "b", "c", "n", "%", "s", "s", "q"]
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
        kind = self.random.randrange(19) if depth > 0 else self.random.randrange(2)
        if kind == 13:
            return self.percent(depth)
        if kind == 14:
            return self.template(depth)
        if kind == 15:
            return "format(%s, %s)" % (self.any(depth - 1, 0.9, self.pick([self.number, self.number, self.text])),
                                       ascii(self.spec()))
        if kind == 16:
            return "%s.join(%s)" % (self.any(depth - 1, 0.95, self.text), self.pick(
                ["[%s]" % ", ".join(self.any(depth - 1, 0.99, self.text) for _ in range(self.random.randrange(4))),
                 self.any(depth - 1, 0.9, self.items)]))
        if kind == 17:
            return "%s.%s(%s%s)" % (self.any(depth - 1, 0.95, self.text), self.pick(["ljust", "rjust"]),
                                    self.pick(["0", "5", "12", "-1", "True", "'5'", self.number(0)]),
                                    self.pick(["", "", ", '*'", ", '\u5c71'", ", ''", ", 'ab'", ", 1"]))
        if kind == 18:
            return "%s.%s(%s)" % (self.any(depth - 1, 0.95, self.text),
                                  self.pick(["removeprefix", "removesuffix"]),
                                  self.any(depth - 1, 0.95, self.text))
        if kind == 10:
            return "chr(%s)" % self.any(depth - 1, 0.9, self.number)
        if kind == 11:
            return "%s.zfill(%s)" % (self.any(depth - 1, 0.95, self.text),
                                     self.pick(["0", "5", "12", "-1", "True", "'5'", "1.0",
                                                "9223372036854775807"]))
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
                              self.pick(["lower", "upper", "strip", "lstrip", "rstrip", "title",
                                         "capitalize", "casefold"]), "")

    def subscript(self, depth):
        if self.random.random() < 0.5:
            return "[%s]" % self.any(depth, 0.9, self.number)
        bounds = [self.pick(["", "", "0", "1", "2", "9", "-1", "-2", "-9",
                             self.any(depth, 0.9, self.number)])
                  for _ in range(self.pick([2, 3, 3]))]
        return "[%s]" % ":".join(bounds)

    def number(self, depth):
        kind = self.random.randrange(17) if depth > 0 else self.random.randrange(2)
        if kind == 14:
            return "%s(%s)" % (self.pick(["floor", "ceil", "trunc", "sqrt", "log10"]),
                               self.any(depth - 1, 0.95, self.number))
        if kind == 15:
            call = "%s(%s, %s)" % (self.pick(["pow", "divmod"]), self.any(depth - 1, 0.97, self.number),
                                   self.any(depth - 1, 0.97, self.number))
            return call + ("[%d]" % self.random.randrange(2) if call[0] == "d" else "")
        if kind == 16:
            return self.pick(["len(%s)", "len(%s)", "sum(%s)", "min(%s)", "%s[1]", "%s['CT']",
                              "%s.get(1)", "%s.get('CT', 2)", "%s.get([])"]) % self.any(
                                  depth - 1, 0.97, self.collection)
        if kind == 9:
            return self.several(depth)
        if kind == 10:
            return "%s(%s)" % (self.pick(["abs", "ord", "round"]),
                               self.any(depth - 1, 0.8, self.pick([self.number, self.text])))
        if kind == 11:
            return "round(%s, %s)" % (self.any(depth - 1, 0.95, self.number), self.pick(
                ["0", "1", "2", "-1", "-2", "None", "-19", "-18", "400", "-309", "17", "-400",
                 self.any(depth - 1, 0.9, self.number)]))
        if kind == 12:
            return self.moment(depth)
        if kind == 13:
            return self.flat()
        if kind == 0:
            return self.integer()
        if kind == 1:
            return self.sign() + self.pick(FLOATS)
        if kind == 2:
            return self.pick(["int", "float", "len", "bool"]) + "(%s)" % self.any(depth - 1)
        if kind == 3:
            return self.pick(["-", "+", "- -", "not ", "~"]).join(["(", self.number(depth - 1)]) + ")"
        if kind == 4:
            return "%s.%s(%s%s)" % (self.any(depth - 1, 0.9, self.pick([self.text, self.items])),
                                    self.pick(["find", "rfind", "count", "index"]),
                                    self.any(depth - 1, 0.9, self.text), self.span())
        if kind == 5:
            return "len(%s)" % self.any(depth - 1, 0.9, self.text)
        a, b = self.any(depth - 1, 0.97, self.number), self.any(depth - 1, 0.97, self.number)
        sign = self.pick(["+", "-", "*", "/", "//", "%", "**", "|", "&", "^"])
        return self.pick(["(%s %s %s)", "%s %s %s", "%s%s%s"]) % (a, sign, b)

    def span(self):
        """A start, and a stop, behind what is searched for."""
        bound = ["None", "0", "1", "2", "3", "9", "-1", "-2", "-9", "True", "'x'"]
        return "".join(", " + self.pick(bound) for _ in range(self.pick([0, 0, 1, 2])))

    def several(self, depth):
        name = self.pick(["min", "max", "min", "max", "any", "all", "sum", "sorted"])
        if name in ("min", "max") and self.random.random() < 0.5:
            of = self.pick([self.number, self.text, self.items])
            return "%s(%s)" % (name, ", ".join(self.any(depth - 1, 0.98, of)
                                               for _ in range(self.random.randrange(2, 5))))
        of = self.pick([self.number, self.number, self.text])
        items = [self.any(depth - 1, 0.98, of) for _ in range(self.random.randrange(7))]
        whole = self.pick(["[%s]" % ", ".join(items), self.any(depth - 1, 0.8, self.text),
                           self.any(depth - 1, 0.9, self.items)])
        start = ", " + self.any(depth - 1) if name == "sum" and self.random.random() < 0.2 else ""
        return "%s(%s%s)" % (name, whole, start)

    def moment(self, depth):
        name, words = self.pick([("date", DATES), ("time", TIMES), ("age", AGES), ("age", DATES)])
        words = [ascii(self.pick(words)) for _ in range(2)]
        if self.random.random() < 0.1:
            words[0] = self.any(depth - 1)
        if name == "age" and self.random.random() < 0.6:
            words = [ascii(self.pick(DATES)) for _ in range(2)]
            return "age(%s)" % ", ".join(words)
        return "%s(%s)" % (name, words[0])

    def flat(self):
        """Without parentheses: precedence and associativity."""
        text = ""
        for _ in range(self.random.randrange(2, 6)):
            text += self.pick(["", "", "", "-", "~", "+", "- ", "not "]) + self.pick(
                ["1", "2", "3", "0", "5", "True", "False", "2.0", "0.5", "7", "(2)", "'a'[0:0]",
                 "len('abc')", "[1, 2][1]"])
            text += " %s " % self.pick(["+", "-", "*", "/", "//", "%", "**", "**", "|", "&", "^",
                                        "==", "<", ">=", "!=", "and", "or", "if 1 else"])
        return "(%s%s)" % (text, self.integer())

    def integer(self):
        value = self.random.randrange(13) if self.random.random() < 0.7 else self.pick(INTS)
        return self.sign() + self.pick([str, str, str, hex, bin, oct, "{:_}".format])(value)

    def sign(self):
        return "-" if self.random.random() < 0.3 else ""

    def collection(self, depth):
        """A set or a dict."""
        kind = self.random.randrange(7 if depth > 0 else 2)
        of = self.pick([self.key, self.key, self.key, lambda d: self.any(d, 0.9, self.text)])
        if kind == 0:
            return "{%s}" % ", ".join(of(depth - 1) for _ in range(self.random.randrange(1, 5)))
        if kind in (1, 2):
            return "{%s}" % ", ".join("%s: %s" % (of(depth - 1), self.any(depth - 1))
                                      for _ in range(self.random.randrange(4)))
        if kind == 3:
            return "set(%s)" % self.pick(["", self.any(depth - 1, 0.9, self.items),
                                          self.any(depth - 1, 0.95, self.text)])
        if kind == 4:
            pairs = ["(%s, %s)" % (of(depth - 1), self.any(0)) for _ in range(self.random.randrange(3))]
            return "dict(%s)" % self.pick(["", "[%s]" % ", ".join(pairs), "['ab', 'cd']",
                                           self.any(depth - 1, 0.5, self.collection)])
        return "(%s %s %s)" % (self.any(depth - 1, 0.97, self.collection),
                               self.pick(["|", "&", "-", "^", "|", "+"]),
                               self.any(depth - 1, 0.97, self.collection))

    def key(self, depth):
        return self.pick(KEYS) if self.random.random() < 0.95 else self.any(depth)

    def spec(self):
        align = self.pick(["", "", "", "<", ">", "^", "=", "*<", "\u5c71^", "0=", "+>", "x="])
        kind = self.pick(TYPES)
        sharp = "#" if self.random.random() < 0.15 and kind else ""
        return "".join([align, self.pick(["", "", "", "+", "-", " "]), sharp, self.pick(["", "", "", "0"]),
                        self.pick(["", "", "1", "5", "9", "12", "30"]),
                        self.pick(["", "", "", "", "", ",", "_"]),
                        self.pick(["", "", "", ".0", ".1", ".3", ".10", ".25", "."]), kind])

    def percent(self, depth):
        text, values = "", []
        named = self.random.random() < 0.15
        for _ in range(self.random.randrange(1, 4)):
            text += self.pick(["", "", "a", "\u5c71 "]) + "%" + ("(%s)" % self.pick("ab") if named else "")
            text += "".join(self.pick("-+ #0") for _ in range(self.pick([0, 0, 0, 1, 2])))
            text += self.pick(["", "", "1", "7", "12", "*"]) + self.pick(["", "", "", ".0", ".2", ".12", ".", ".*"])
            text += self.pick(["", "", "", "l"]) + self.pick(DIRECTIVES)
            star = text[text.rindex("%"):].count("*") if text[-1] != "%" else 0
            values += ["%d" % self.random.randrange(-3, 12) for _ in range(star)]
            of = self.pick([self.number, self.number, self.text, self.truth])
            values += [] if text[-1] == "%" else [self.any(depth - 1, 0.95, of)]
        if self.random.random() < 0.04:
            values = values[1:]
        if named:
            behind = "{'a': %s, 'b': %s}" % (self.any(depth - 1), self.any(depth - 1, 1, self.number))
        elif len(values) == 1 and self.random.random() < 0.5:
            behind = values[0]
        else:
            behind = "(%s,)" % ", ".join(values) if values else "()"
        if self.random.random() < 0.05:
            behind = self.any(depth - 1)
        return "(%s %% %s)" % (ascii(text), self.closed(behind))

    def template(self, depth):
        text = ""
        numbered = self.random.random() < 0.3
        for _ in range(self.random.randrange(1, 4)):
            name = self.pick(["0", "1", "1", "2"]) if numbered else ""
            text += self.pick(["", "", "a", "{{", "}}", "\u5c71 "])
            text += "{" + name + self.pick(["", "", "", "", "[0]", "[-1]", "[a]", "[0][1]"])
            text += self.pick(["", "", "", "!r", "!s", "!x"]) if self.random.random() < 0.5 else ""
            text += self.pick(["", ":" + self.spec(), ":" + self.spec(), ":{}" if not numbered else ":>{2}"]) + "}"
        if self.random.random() < 0.05:
            text += self.pick(["{", "}", "{0", "{}{0}", "{name}", "{:{:{}}}", "{0.x}", "{[}", "{!}"])
        of = self.pick([self.number, self.text, self.number, self.items])
        return "%s.format(%s)" % (ascii(text), ", ".join(
            self.any(depth - 1, 0.9, of) for _ in range(self.random.randrange(1, 4))))

    def items(self, depth):
        kind = self.random.random() if depth > 0 else 1
        if kind < 0.1:
            return self.collection(depth)
        if kind < 0.15:
            return "%s(%s)" % (self.pick(["list", "tuple"]), self.any(
                depth - 1, 0.9, self.pick([self.text, self.items, self.collection])))
        if kind < 0.2:
            return "%s.%s()" % (self.any(depth - 1, 0.95, self.collection),
                                self.pick(["keys", "values", "items"]))
        if kind < 0.27:
            return "%s.partition(%s)" % (self.any(depth - 1, 0.97, self.text), self.any(
                depth - 1, 0.97, self.text))
        if kind < 0.32:
            return "%s.splitlines(%s)" % (self.pick(
                [self.any(depth - 1, 0.97, self.text), r"'a\r\nb\x0bc\x1cd\u2028\n\re\x85'"]),
                self.pick(["", "", "True", "0", "None"]))
        if kind < 0.5:
            arguments = self.pick(["", "None", "','", "' '", self.any(depth - 1, 0.9, self.text)])
            if arguments and self.random.random() < 0.4:
                arguments += ", " + self.number(0)
            return "%s.%s(%s)" % (self.any(depth - 1, 0.95, self.text),
                                  self.pick(["split", "rsplit"]), arguments)
        items = [self.any(depth - 1) for _ in range(self.random.randrange(4))]
        if self.random.random() < 0.5:
            return "[%s]" % ", ".join(items)
        return "(%s%s)" % (", ".join(items), "," if len(items) == 1 else "")

    def truth(self, depth):
        kind = self.random.randrange(15) if depth > 0 else self.random.randrange(1)
        if kind == 12:
            return "(%s %s tags)" % (ascii(self.pick(NAMES + ["xTag", ""])), self.pick(["in", "not in"]))
        if kind == 13:
            return "(%s %s %s)" % (self.any(depth - 1, 0.8, self.key), self.pick(["in", "not in"]),
                                   self.any(depth - 1, 0.97, self.collection))
        if kind == 14:
            return "(%s %s %s)" % (self.any(depth - 1, 0.97, self.collection),
                                   self.pick(["==", "!=", "<", "<=", ">", ">="]),
                                   self.any(depth - 1, 0.97, self.collection))
        if kind == 9:
            return "%s.is%s()" % (self.any(depth - 1, 0.95, self.text), self.pick(
                ["alpha", "alnum", "digit", "space", "upper", "lower"]))
        if kind == 10:
            return "%s(%s, %s)" % (self.pick(["search", "match"]), ascii(self.pick(PATTERNS)),
                                   self.any(depth - 1, 0.95, self.text))
        if kind == 11:
            words = ", ".join(self.any(0, 0.98, self.text) for _ in range(self.random.randrange(4)))
            return "any_of([%s], %s)" % (words, self.any(depth - 1, 0.95, self.text))
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
            return "%s.%s(%s%s)" % (self.any(depth - 1, 0.95, self.text),
                                    self.pick(["startswith", "endswith"]), parts, self.span())
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

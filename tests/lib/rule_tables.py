#!/usr/bin/python3
"""rule_tables: the tables of src/lib/rule/case.c, from Python's own.

    rule_tables.py case     src/lib/rule/case_tables.h
    rule_tables.py class    src/lib/rule/class_tables.h
"""
import sys
import unicodedata


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
    print("/* rule_case_tables: Unicode %s; made by `tests/lib/rule_tables.py case`. */"
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


def stepped_runs(member):
    """Characters for which member() holds, as (first, last, step)."""
    runs = []
    for code in filter(lambda c: member(chr(c)), range(0x110000)):
        if runs:
            first, last, step = runs[-1]
            if (first == last and code - last in (1, 2)) or code - last == step:
                runs[-1] = (first, code, code - last)
                continue
        runs.append((code, code, 1))
    return runs


def is_title(c):
    return c.istitle() and not c.isupper()


# What repr() escapes, but for the characters that Unicode has not assigned yet.
def is_hidden(c):
    return not c.isprintable() and unicodedata.category(c) != "Cn"


def class_tables():
    every = [chr(code) for code in range(0x110000)]
    print("/* rule_class_tables: Unicode %s; made by `tests/lib/rule_tables.py class`. */"
          % unicodedata.unidata_version)
    print("/* clang-format off */")
    for name, member in (("alpha", str.isalpha),
                         ("numeric", lambda c: c.isnumeric() and not c.isalpha()),
                         ("digit", lambda c: c.isdigit() and not c.isdecimal()),
                         ("title", is_title),
                         ("hidden", is_hidden)):
        print_table("struct span " + name, ["{0x%x,0x%x}" % run for run in set_runs(member)])
    for name, member in (("upper", str.isupper), ("lower", str.islower)):
        print_table("struct run " + name, ["{0x%x,0x%x,%d}" % run for run in stepped_runs(member)])
    folded = [c for c in every if c.casefold() != c.lower()]
    runs = []
    for c in (c for c in folded if len(c.casefold()) == 1):
        delta = ord(c.casefold()) - ord(c)
        if runs and runs[-1][3] == delta and runs[-1][1] == ord(c) - 1:
            runs[-1] = (runs[-1][0], ord(c), 1, delta)
        else:
            runs.append((ord(c), ord(c), 1, delta))
    print_table("struct range to_folded", ["{ 0x%x, 0x%x, %d, %d }" % run for run in runs])
    for name, changed, change in (("to_folded", folded, str.casefold),
                                  ("to_title", every, str.title)):
        print_table("struct special %s_special" % name, [
            "{ 0x%x, { %s } }" % (ord(c), ", ".join(hex(ord(x)) for x in change(c)))
            for c in changed
            if (len(change(c)) > 1 if name == "to_folded" else change(c) != c.upper())])


if __name__ == "__main__":
    {"case": case_tables, "class": class_tables}[sys.argv[1]]()

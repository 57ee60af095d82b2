#!/usr/bin/env python3
"""Breaks C code in one place at a time, by rules, and writes all of these mutants into one copy of each file.

  comparison      with its neighbour: < and <=, > and >=, == and !=
  && and ||       one for the other
  negation        taken away; added where something is asked for its truth
  constant        n + 1, 0, 1; named ones at their uses; true and false
  statement       assignment, call, early return, break or continue left out
  member          left out where a struct is filled in

In the copy each place asks whether it is the one to be broken (mutant.h), so that one build serves all. What must be
constant (cases, sizes, static tables, enumerations) cannot ask. CHECK and what only checked builds have decide nothing.

usage: mutate.py FOLDER LIST SOURCE...
  FOLDER/SOURCE are the copies; LIST tells of each mutant, in JSON. A SOURCE is relative to src/."""

import json
import re
import sys
from pathlib import Path

import tree_sitter
import tree_sitter_c

TOP = Path(__file__).resolve().parent.parent.parent
SRC = TOP / "src"
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))

NEIGHBOUR = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
NAMED = re.compile(r"[A-Z][A-Z0-9_]+")
LIMITS = {"UINT8_MAX": 0xFF, "UINT16_MAX": 0xFFFF, "UINT32_MAX": 0xFFFFFFFF, "UINT64_MAX": 0xFFFFFFFFFFFFFFFF}
WRAP = {"UINT32_MAX", "UINT64_MAX"}  # the next number is 0
# What is not evaluated, or has to be constant.
FIXED = {"sizeof_expression", "array_declarator", "enum_specifier", "attribute_specifier", "offsetof_expression"}
JUMPS = {"return_statement": "return", "break_statement": "break", "continue_statement": "continue"}


def parse(path):
    """The tree, and the bytes that its places refer to. The parser does not know our attribute."""
    source = path.read_bytes()
    root = PARSER.parse(re.sub(rb"\bCOLD\b", b"    ", source)).root_node
    return root, source


def descendants(node):
    for child in node.named_children:
        yield child
        yield from descendants(child)


def flat(text):
    return " ".join(text.split())


def number_of(text, values):
    """The value of a constant's text, or None when it is not that simple."""
    text = re.sub(r"(?i)\b(0x[0-9a-f]+|[0-9]+)[ul]+\b", r"\1", text)
    text = re.sub(r"[A-Z]\w+", lambda name: str(values.get(name[0], name[0])), text)
    if not re.fullmatch(r"[\s()+*/~0-9a-fx<>-]+", text):
        return None
    try:
        return int(eval(text.replace("/", "//"), {"__builtins__": {}}))  # a number of our own headers
    except (SyntaxError, NameError, TypeError, ZeroDivisionError):
        return None


def constants_of(paths):
    """The enumerators and numbers that the files define."""
    values = dict(LIMITS)
    for path in paths:
        root, _ = parse(path)
        for node in descendants(root):
            if node.type == "enumerator_list":
                last = -1
                for one in (child for child in node.named_children if child.type == "enumerator"):
                    given = one.child_by_field_name("value")
                    last = number_of(given.text.decode(), values) if given else None if last is None else last + 1
                    values[one.child_by_field_name("name").text.decode()] = last
            elif node.type == "preproc_def" and node.child_by_field_name("value"):
                given = node.child_by_field_name("value").text.decode()
                values[node.child_by_field_name("name").text.decode()] = number_of(given, values)
    return {name: value for name, value in values.items() if value is not None}


class File:
    """One source, whose copy is written while its mutants are counted."""

    def __init__(self, name, constants, mutants):
        self.name = name
        self.root, self.source = parse(SRC / name)
        if self.root.has_error:
            sys.exit(f"{name}: the parser does not understand this")
        self.values = constants
        self.mutants = mutants
        self.function = None
        self.seen = {}

    def text(self, node):
        return self.source[node.start_byte:node.end_byte].decode()

    def copy(self):
        return f'#include "mutant.h"\n#line 1 "{self.name}"\n{self.outside(self.root)}'

    # --- where code is ---

    def pieces(self, node, each):
        """The node's text, in which each child is what a function makes of it."""
        out, at = [], node.start_byte
        for child in node.children:
            out += [self.source[at:child.start_byte].decode(), each(child)]
            at = child.end_byte
        return "".join(out) + self.source[at:node.end_byte].decode()

    def outside(self, node):
        """What is around functions stays as it is."""
        if node.type == "preproc_ifdef" and self.text(node.child_by_field_name("name")) == "CHECKED":
            return self.text(node)
        if node.type != "function_definition":
            return self.pieces(node, self.outside) if node.children else self.text(node)
        self.function = next(one for one in descendants(node) if one.type == "function_declarator")
        body = node.child_by_field_name("body")
        returns = node.child_by_field_name("type")
        self.function = self.text(self.function.child_by_field_name("declarator"))
        self.returns_bool = self.text(returns) == "bool"
        self.last = body.named_children[-1]
        return self.source[node.start_byte:body.start_byte].decode() + self.inside(body)

    def fixed(self, node):
        if node.type == "declaration":
            return any(child.type == "storage_class_specifier" for child in node.children)
        if node.type == "call_expression":
            return re.fullmatch(r"[A-Z][A-Z0-9_]+|\w+_check", self.text(node.child_by_field_name("function"))) is not None
        return node.type in FIXED

    def inside(self, node):
        if self.fixed(node):
            return self.text(node)
        out = self.pieces(node, lambda child: self.text(child) if self.is_case(node, child) else self.inside(child))
        whole = "".join(f"mutant_is({self.count(node, *one)}) ? ({one[0]}) : " for one in self.changes(node))
        if whole:
            out = f"({whole}{out})"
        left_out = self.left_out(node)
        if left_out:
            out = f"{{ if (!mutant_is({self.count(node, '', left_out)})) {out} }}"
        return out

    @staticmethod
    def is_case(node, child):
        return node.type == "case_statement" and child == node.child_by_field_name("value")

    # --- rules for expressions: (what it becomes, how it is told, or None for what it becomes) ---

    def changes(self, node):
        if node.type == "binary_expression":
            yield from self.operators(node)
        elif node.type == "unary_expression" and self.operator(node) == "!":
            bare = self.text(node.child_by_field_name("argument"))
            yield f"!!({bare})", bare
        elif node.type in ("number_literal", "char_literal", "identifier", "true", "false"):
            yield from self.constants(node)
        if self.asked_for_truth(node):
            yield f"!({self.text(node)})", f"!({self.text(node)})"
        if self.is_member(node):
            yield f"(__typeof__(0 ? ({self.text(node)}) : ({self.text(node)}))){{0}}", "nothing"

    def operator(self, node):
        return self.text(node.child_by_field_name("operator"))

    def operators(self, node):
        left, right = (self.text(node.child_by_field_name(side)) for side in ("left", "right"))
        operator = self.operator(node)
        if operator in ("&&", "||"):
            left, right = (self.grouped(node.child_by_field_name(side)) for side in ("left", "right"))
        if operator in NEIGHBOUR and not (operator in OPPOSITE and self.equal_either_way(node)):
            yield f"{left} {NEIGHBOUR[operator]} {right}", None
        if operator in OPPOSITE and self.in_condition(node):
            yield f"{left} {OPPOSITE[operator]} {right}", None

    def equal_either_way(self, node):
        """Whether it is no matter which way equals go: in a < b ? a : b, a > b ? a - b : 0, if (c && a > b) a = b."""
        left, right = (self.bare(node.child_by_field_name(side)) for side in ("left", "right"))
        above = node.parent
        if above.type == "conditional_expression" and above.child_by_field_name("condition") == node:
            arms = [self.bare(above.child_by_field_name(arm)) for arm in ("consequence", "alternative")]
            return set(arms) == {left, right} or (self.operator(node) == ">" and arms == [f"{left}-{right}", "0"])
        while above.type == "binary_expression" and self.operator(above) == "&&":
            above = above.parent
        if above.type != "parenthesized_expression" or above.parent.type != "if_statement":
            return False
        then = above.parent.child_by_field_name("consequence")
        return self.bare(then) in (f"{left}={right};", f"{right}={left};")

    def is_bound(self, node):
        """Whether one more is as good as <= for <, where that makes no difference."""
        above = node.parent
        return (above.type == "binary_expression" and self.operator(above) == "<" and self.equal_either_way(above)
                and above.child_by_field_name("right") == node)

    def bare(self, node):
        """Its text without casts and blanks."""
        return re.sub(r"\((u?int\d+_t|size_t)\)|[\s()]", "", self.text(node))

    def grouped(self, node):
        text = self.text(node)
        return f"({text})" if node.type == "binary_expression" and self.operator(node) in ("&&", "||") else text

    def constants(self, node):
        text = self.text(node)
        if node.type in ("true", "false"):
            yield {"true": "false", "false": "true"}[text], None
        elif node.type == "char_literal":
            yield f"{text} + 1", None
        elif node.type == "number_literal" or (NAMED.fullmatch(text) and text != "NULL"):
            value = number_of(text, self.values)
            if text not in WRAP and value not in (0, -1) and not self.is_bound(node):
                yield (f"{text} + 1" if node.type == "identifier" else str(value + 1)), None
            yield from ((other, None) for other in "01" if int(other) != value)

    def asked_for_truth(self, node):
        """Whether a negation may be added; a comparison has its own rule."""
        if node.type == "identifier" and NAMED.fullmatch(self.text(node)):
            return False
        return node.type in ("identifier", "call_expression", "field_expression", "subscript_expression") and (
            self.in_condition(node) or (self.returns_bool and node.parent.type == "return_statement"))

    @staticmethod
    def in_condition(node):
        while node.parent.type == "parenthesized_expression":
            node = node.parent
            if node.parent.child_by_field_name("condition") == node:
                return True
        above = node.parent
        if above.type == "binary_expression":
            return above.child_by_field_name("operator").type in ("&&", "||")
        return above.child_by_field_name("condition") == node

    def is_member(self, node):
        """A value that a struct is filled in with. Of constants 0 stands for it."""
        above = node.parent
        if above is None or above.type != "initializer_pair" or above.child_by_field_name("value") != node:
            return False
        return above.children[0].type == "field_designator" and node.type not in (
            "initializer_list", "number_literal", "true", "false", "null") and not NAMED.fullmatch(self.text(node))

    # --- rules for statements: how it is told ---

    def left_out(self, node):
        if node.type == "expression_statement":
            expression = node.named_children[0]
            if self.fixed(expression) or re.fullmatch(r"\(void\)\s*\w+", self.text(expression)):
                return None
        elif node.type not in JUMPS or self.ends(node):
            return None
        return f"without {flat(self.text(node))}"

    def ends(self, node):
        """Whether all that a jump leaves out is nothing: the function's last return, the last break of a switch."""
        if node.type == "return_statement":
            return node == self.last
        above = node.parent
        return above.type == "case_statement" and node == above.named_children[-1] and above == above.parent.named_children[-1]

    # --- books ---

    def count(self, node, changed, told):
        number = len(self.mutants) + 1
        line = self.source.split(b"\n")[node.start_point[0]].decode().strip()
        change = told if told and told.startswith("without") else self.difference(node, told or changed)
        key = self.function, line, change
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.seen[key] > 1:
            change += f" (place {self.seen[key]})"
        self.mutants.append({"number": number, "file": Path(self.name).name, "line": node.start_point[0] + 1,
                             "function": self.function, "text": line, "change": change})
        return number

    def difference(self, node, changed):
        """What was there and what is; with what is around it, when that is not much."""
        around = node.parent
        while around.type in ("argument_list", "parenthesized_expression"):
            around = around.parent
        before, after = self.text(node), changed
        if len(flat(self.text(around))) <= 90 and not around.type.endswith("_statement"):
            text = self.source[around.start_byte:node.start_byte].decode()
            rest = self.source[node.end_byte:around.end_byte].decode()
            before, after = text + before + rest, text + after + rest
        return f"{flat(before)}  ->  {flat(after)}"


def main(folder, listed, *names):
    headers = sorted((SRC / "protocol").glob("*.h"))
    mutants = []
    for name in names:
        file = File(name, constants_of([*headers, SRC / name]), mutants)
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.copy(), encoding="utf-8")
    Path(listed).write_text(json.dumps(mutants, indent=0), encoding="utf-8")
    print(f"{len(mutants)} mutants in {len(names)} files")


if __name__ == "__main__":
    main(*sys.argv[1:])

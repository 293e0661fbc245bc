"""Reads a Makefile: its targets, their prerequisites, and what their recipes start."""

import re
from dataclasses import dataclass, field

import shell


@dataclass
class Target:
    name: str
    line: int
    prerequisites: list
    starts: list = field(default_factory=list)


def read(text):
    """The targets of a Makefile by name."""
    computed = Target("$(shell)", 1, [], list(_computed(text)))
    lines = text.replace("\\\n\t", "\\\n").split("\n")
    variables, targets, recipe = {}, {computed.name: computed} if computed.starts else {}, None
    index = 0
    while index < len(lines):
        start, line = index, lines[index]
        while line.endswith("\\") and index + 1 < len(lines):
            index += 1
            line = line[:-1] + " " + lines[index]
        index += 1
        if line.startswith("\t"):
            if recipe is not None:
                recipe.starts += _starts(line, recipe.name, start + 1, variables)
        elif match := re.match(r"(?:export\s+)?(\w+)\s*(?:\?|:|\+)?=\s*(.*)", line):
            variables.setdefault(match[1], []).append(_shell(match[2]))
        elif match := re.match(r"([^\s:#=][^:#=]*)::?(?!=)([^#;]*)(;.*)?", line):
            for name in match[1].split():
                recipe = targets.setdefault(name, Target(name, start + 1, []))
                recipe.prerequisites += match[2].split()
            if match[3]:
                recipe.starts += _starts(match[3][1:], recipe.name, start + 1, variables)
        elif line.strip() and not line.startswith("#"):
            recipe = None
    return targets


def _computed(text):
    """What make starts for `$(shell …)`, whichever target is built."""
    for match in re.finditer(r"\$\(shell ", text):
        depth, end = 1, match.end()
        while end < len(text) and depth:
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        yield from shell.read(_shell(text[match.end() : end - 1]), text.count("\n", 0, match.start()) + 1)


def _shell(text):
    """A text with make's variables written as the shell's, and calls of make's functions as unknown variables."""
    text = re.sub(r"\$\((\w+)\)", r"${\1}", text)
    text = re.sub(r"\$\((\w+) [^()]*(\([^()]*\)[^()]*)*\)", r"${MAKE_\1}", text)
    return text.replace("$$", "$")


def _starts(line, target, number, variables):
    command = _shell(line.strip().lstrip("@+-").replace("$@", target))
    return list(shell.read(command, number, variables))

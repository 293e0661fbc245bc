"""Reads the commands of a shell script as sh and bash would split them, without running anything.

It finds commands after pipes and keywords, in functions, cases, substitutions and subshells, in the text of `sh -c`, and
as arguments of programs that start other programs, such as `env` and `timeout`.
"""

import re
from dataclasses import dataclass, field

from started import HANDED_IN, Start

KEYWORDS = {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "time", "coproc"}
BUILTINS = set(
    ". : [ [[ alias bg break builtin cd compgen complete continue declare dirs disown echo eval exit export false fg getopts hash help jobs "
    "kill let local mapfile popd printf pushd pwd read readarray readonly return set shift shopt source test times true "
    "type typeset ulimit umask unalias unset wait".split()
)
SHELLS = {"sh", "bash", "dash"}


@dataclass(frozen=True)
class Runner:
    """A program that starts the program named by its arguments.

    `before` is how many words come between its options and that name; `valued` are options that take the next word.
    """

    before: int = 0
    valued: frozenset = frozenset()


def _options(text):
    return frozenset(text.split())


RUNNERS = {
    "chroot": Runner(before=1),
    "env": Runner(valued=_options("-u -C -S --unset --chdir")),
    "exec": Runner(valued=_options("-a")),
    "flock": Runner(before=1, valued=_options("-w -E")),
    "nice": Runner(valued=_options("-n")),
    "nohup": Runner(),
    "nsenter": Runner(valued=_options("-t")),
    "setpriv": Runner(valued=_options("--pdeathsig --reuid --regid --groups")),
    "setsid": Runner(),
    "stdbuf": Runner(valued=_options("-i -o -e")),
    "sudo": Runner(valued=_options("-u -g -h -p -C -D")),
    "taskset": Runner(before=1),
    "timeout": Runner(before=1, valued=_options("-s -k --signal --kill-after")),
    "unshare": Runner(valued=_options("--propagation --setuid --setgid")),
    "xargs": Runner(valued=_options("-n -P -I -L -d -a -s -E")),
}

# What SwiftPM starts when it builds.
BUILDERS = ("git", "pkg-config")
BUILDING = {"build", "test", "run", "package"}


@dataclass
class Word:
    """A word of a command: literal text, with each variable or substitution written as `${…}`."""

    text: str = ""
    is_plain: bool = True

    def add_variable(self, expression):
        self.text += "${" + expression + "}"
        self.is_plain = False


@dataclass
class Command:
    line: int
    words: list
    function: str = ""


@dataclass
class Script:
    """The commands of a text, and what its variables may hold."""

    commands: list = field(default_factory=list)
    values: dict = field(default_factory=dict)
    functions: set = field(default_factory=set)
    # Functions that start the program in their arguments, and how many arguments come before it.
    runners: dict = field(default_factory=dict)


class _Reader:
    def __init__(self, text, line, script, function=""):
        self.text, self.at, self.first_line, self.script = text, 0, line, script
        self.functions = [function]
        self.heredocs = []
        self.end = None

    @property
    def line(self):
        return self.first_line + self.text.count("\n", 0, self.at)

    def peek(self, text):
        return self.text.startswith(text, self.at)

    # Commands

    def read(self, end=None):
        """Reads to the end, or up to and with an unmatched `end`."""
        words, cases, depth, start = [], [], 0, 0
        self.end = end

        def flush():
            if words:
                self.script.commands.append(Command(start, list(words), self.functions[-1]))
                words.clear()

        while self.at < len(self.text):
            character = self.text[self.at]
            if cases and cases[-1] == "pattern":
                if self._case_pattern():
                    cases.pop()
                else:
                    cases[-1] = "body"
            elif character in " \t\r":
                self.at += 1
            elif self.peek("\\\n"):
                self.at += 2
            elif character == "\n":
                flush()
                self.at += 1
                self._skip_heredocs()
            elif character == "#":
                self._skip_comment()
            elif self.peek("&>") or character in "<>" or re.compile(r"\d+[<>]").match(self.text, self.at):
                self._redirection()
            elif character in ";&|":
                flush()
                is_case_end = self.peek(";;") or self.peek(";&")
                while self.at < len(self.text) and self.text[self.at] in ";&|":
                    self.at += 1
                if is_case_end and cases:
                    cases[-1] = "pattern"
            elif character == "(":
                if not words and self.peek("(("):
                    self._arithmetic()
                elif words and words[-1].text.endswith("="):
                    self.at += 1
                    self._words_until(")")
                elif len(words) == 1 and re.compile(r"\(\s*\)").match(self.text, self.at):
                    self.at = self.text.index(")", self.at) + 1
                    self._function(words.pop().text)
                else:
                    flush()
                    depth += 1
                    self.at += 1
            elif character == ")" or character == end:
                flush()
                self.at += 1
                if depth and character == ")":
                    depth -= 1
                elif character == end:
                    return
            else:
                start = start if words else self.line
                word = self._word()
                if not words and word.text == "[[":
                    self._skip_test()
                elif words or not self._is_special(word, cases):
                    words.append(word)
        flush()

    def _is_special(self, word, cases):
        """Whether a word at the start of a command is a keyword or an assignment, and not the command's name."""
        if word.is_plain and word.text == "case":
            self._blanks()
            self._word()
            self._blanks(newlines=True)
            self.at += len("in")
            cases.append("pattern")
        elif word.is_plain and word.text == "esac":
            if cases:
                cases.pop()
        elif word.is_plain and word.text in ("for", "select"):
            self._loop()
        elif word.is_plain and word.text == "function":
            self._blanks()
            name = self._word().text
            self.at += len(re.compile(r"\s*(\(\s*\))?").match(self.text, self.at)[0])
            self._function(name)
        elif word.is_plain and word.text in KEYWORDS:
            if word.text == "{":
                self.functions.append(self.functions[-1])
            elif word.text == "}" and len(self.functions) > 1:
                self.functions.pop()
        elif match := re.match(r"([A-Za-z_]\w*)(\[[^]]*\])?\+?=", word.text):
            self._assignment(match[1], word.text[match.end() :])
        else:
            return False
        return True

    def _assignment(self, name, value):
        values = self.script.values.setdefault(name, [])
        if value or not self.peek("("):
            values.append(value)
            return
        self.at += 1
        values.append(" ".join(word.text for word in self._words_until(")")))

    def _loop(self):
        self._blanks()
        if self.peek("(("):
            return self._arithmetic()
        name = self._word().text
        self._blanks(newlines=True)
        if self._is_word("in"):
            self.at += 2
            values = self._words_until(";\n")
            self.script.values.setdefault(name, []).extend(word.text for word in values)

    def _function(self, name):
        self.script.functions.add(name)
        self._blanks(newlines=True)
        if self.peek("{"):
            self.at += 1
            self.functions.append(name)

    def _case_pattern(self):
        """Skips a pattern or `esac`; returns whether it was `esac`."""
        self._blanks(newlines=True)
        if self._is_word("esac"):
            self.at += len("esac")
            return True
        if self.peek("("):
            self.at += 1
        while self.at < len(self.text) and not self.peek(")"):
            if self.text[self.at] in " \t|\n":
                self.at += 1
            else:
                self._word()
        self.at += 1
        return False

    def _words_until(self, ends):
        words = []
        while self.at < len(self.text) and self.text[self.at] not in ends:
            if self.text[self.at] == "#" and ends == ")":
                self._skip_comment()
            elif self.text[self.at] in " \t\r\n&|<>()":
                self.at += 1
            else:
                words.append(self._word())
        self.at += 1
        return words

    def _is_word(self, word):
        return re.compile(re.escape(word) + r"(?![\w-])").match(self.text, self.at) is not None

    def _blanks(self, newlines=False):
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r" or (newlines and self.text[self.at] == "\n"):
                self.at += 1
            elif self.peek("\\\n"):
                self.at += 2
            elif newlines and self.peek("#"):
                self._skip_comment()
            else:
                return

    def _skip_comment(self):
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def _arithmetic(self):
        """Skips a `((…))`, except for command substitutions in it."""
        start, depth = self.at, 0
        while self.at < len(self.text):
            depth += (self.text[self.at] == "(") - (self.text[self.at] == ")")
            self.at += 1
            if depth == 0:
                break
        self._substitutions(self.text[start : self.at], self.line)

    def _skip_test(self):
        """Skips the rest of a `[[ … ]]`, whose operators do not end a command."""
        while self.at < len(self.text) and not re.compile(r"\s\]\]").match(self.text, self.at):
            if self.text[self.at] in " \t\n()<>|&;":
                self.at += 1
            else:
                self._word()
        self.at += 3

    def _redirection(self):
        while self.text[self.at].isdigit():
            self.at += 1
        if self.peek("<(") or self.peek(">("):
            self.at += 2
            return self._nested(")")
        operator = re.compile(r"&?[<>]+[&|-]?").match(self.text, self.at)[0]
        self.at += len(operator)
        self._blanks()
        if operator in ("<<", "<<-"):
            mark = re.compile(r"""\\?['"]?([^\s'";|&)]+)['"]?""").match(self.text, self.at)
            self.at = mark.end()
            self.heredocs.append((mark[1], mark[0] == mark[1]))
        elif self.at < len(self.text) and self.text[self.at] not in "\n;|)":
            self._word()

    def _skip_heredocs(self):
        for mark, is_expanded in self.heredocs:
            end = re.compile(rf"^[\t]*{re.escape(mark)}$", re.MULTILINE).search(self.text, self.at)
            stop = end.start() if end else len(self.text)
            if is_expanded:
                self._substitutions(self.text[self.at : stop], self.line)
            self.at = end.end() if end else len(self.text)
        self.heredocs = []

    # Words

    def _word(self):
        word, ends = Word(), " \t\r\n;&|()<>" + ("`" if self.end == "`" else "")
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self._piece(word)
        return word

    def _piece(self, word):
        character = self.text[self.at]
        if character == "'":
            end = self.text.find("'", self.at + 1)
            end = len(self.text) if end < 0 else end
            word.text += self.text[self.at + 1 : end]
            self.at = end + 1
        elif character == '"':
            self.at += 1
            while self.at < len(self.text) and self.text[self.at] != '"':
                if self.text[self.at] in "$`":
                    self._expansion(word)
                else:
                    self.at += self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] in tuple('$`"\\')
                    word.text += self.text[self.at : self.at + 1]
                    self.at += 1
            self.at += 1
        elif character == "\\":
            word.text += self.text[self.at + 1 : self.at + 2].strip("\n")
            self.at += 2
        elif character in "$`":
            self._expansion(word)
        else:
            word.text += character
            self.at += 1

    def _expansion(self, word):
        if self.peek("$(("):
            self.at += 1
            self._arithmetic()
            word.add_variable("#")
        elif self.peek("$("):
            self.at += 2
            start = self.at
            self._nested(")")
            word.add_variable("(" + self.text[start : self.at])
        elif self.peek("`"):
            self.at += 1
            self._nested("`")
            word.add_variable("(")
        elif self.peek("${"):
            start, depth = self.at + 2, 0
            while self.at < len(self.text):
                depth += (self.text[self.at] == "{") - (self.text[self.at] == "}")
                self.at += 1
                if depth == 0 and self.text[self.at - 1] == "}":
                    break
            inside = self.text[start : self.at - 1]
            self._substitutions(inside, self.line)
            word.add_variable(inside)
        elif self.peek("$'") or self.peek('$"'):
            self.at += 1
        elif match := re.compile(r"\$(\w+|[@*#?$!-])").match(self.text, self.at):
            self.at = match.end()
            name = match[1] if not match[1][0].isdigit() else match[1][0]
            self.at -= len(match[1]) - len(name)
            word.add_variable(name)
        else:
            word.text += "$"
            self.at += 1

    def _nested(self, end):
        inner = _Reader(self.text, self.first_line, self.script, self.functions[-1])
        inner.at = self.at
        inner.read(end)
        self.at = inner.at

    def _substitutions(self, text, line):
        """Reads the commands in each `$(…)` of a text that is not parsed as words."""
        place = text.find("$(")
        while place >= 0:
            inner = _Reader(text, line, self.script, self.functions[-1])
            inner.at = place + 2
            if text.startswith("$((", place):
                inner.at = place + 1
                inner._arithmetic()
            else:
                inner.read(")")
            place = text.find("$(", inner.at)


def parse(text, line=1, values=None):
    script = Script(values={name: list(known) for name, known in (values or {}).items()})
    _Reader(text, line, script).read()
    return script


# What is started


def read(text, line=1, values=None, functions=()):
    """Every start in a script. `values` are the values that variables may get from outside, such as `$0` and `$1`."""
    script = parse(text, line, values)
    script.functions |= set(functions)
    found = [start for command in script.commands for start in starts(command.words, command.line, script, command.function)]
    for command in script.commands:
        taken = script.runners.get(command.words[0].text)
        if taken is not None:
            found += starts(command.words[1 + taken :], command.line, script, command.function)
    return found


def starts(words, line, script=None, function=""):
    """What a command starts: its program, and what that program starts. `function` is the function the command is in."""
    script = script or Script()
    while words and re.match(r"[A-Za-z_]\w*\+?=", words[0].text):
        words = words[1:]
    if not words:
        return
    if function and words[0].text in ("${@}", "${1}", "${*}"):
        # Each `shift` drops one argument that is not part of the command.
        inner = [command for command in script.commands if command.function == function]
        script.runners[function] = sum(command.words[0].text == "shift" for command in inner)
        return
    names = _values(words[0].text, script, set())
    if names is None:
        yield Start(line, problem=f"`{words[0].text}` is known only when it runs")
        return
    for name in names:
        if not name:
            yield from starts(words[1:], line, script, function)
            continue
        first, *more = name.split()
        yield from _start(first, [*(Word(one) for one in more), *words[1:]], line, script, function)


def _start(name, rest, line, script, function):
    if name.startswith("/") and "$" not in name:
        name = name.rpartition("/")[2]
    if "/" in name:
        pattern = re.sub(r"\$\{(?!here\}|root\})[^}]*\}", "*", name)
        yield Start(line, file=pattern, arguments=tuple(word.text for word in rest))
        return
    if name in script.functions or name in HANDED_IN:
        return
    if name in ("command", "type", "hash") and rest and rest[0].text.startswith("-"):
        return
    if name in ("eval", "trap") and rest:
        yield from _text(rest[0], rest[1:], line, script)
        return
    if name == "command":
        yield from starts(rest, line, script, function)
        return
    if name not in BUILTINS and name != "exec":
        yield Start(line, program=name, arguments=tuple(word.text for word in rest))
    if name == "swift" and rest and rest[0].text in BUILDING:
        yield from (Start(line, program=builder) for builder in BUILDERS)
    if name in SHELLS:
        for index, word in enumerate(rest):
            if re.fullmatch(r"-\w*c", word.text) and index + 1 < len(rest):
                yield from _text(rest[index + 1], rest[index + 2 :], line, Script())
                break
            if not word.text.startswith("-"):
                break
    elif name in ("su", "runuser"):
        for option, word in zip(rest, rest[1:], strict=False):
            if option.text in ("-c", "--command"):
                yield from _text(word, [], line, Script())
    elif name == "find":
        for index, word in enumerate(rest):
            if word.text in ("-exec", "-execdir", "-ok"):
                yield from starts(rest[index + 1 :], line, script, function)
    elif name in RUNNERS:
        yield from starts(_after_options(name, rest), line, script, function)


def _after_options(name, rest):
    runner, index = RUNNERS[name], 0
    while index < len(rest) and rest[index].text.startswith("-"):
        if rest[index].text == "--":
            index += 1
            break
        index += 2 if rest[index].text in runner.valued else 1
    return rest[index + runner.before :]


def _text(word, arguments, line, script):
    """What a word starts that is itself a script, as after `sh -c`."""
    if word.text == "-" or not word.text:
        return
    if word.text.startswith("${") and word.text.endswith("}") and word.text.count("${") == 1:
        yield Start(line, problem=f"the script `{word.text}` is known only when it runs")
    else:
        values = {str(index): [one.text] for index, one in enumerate(arguments)}
        yield from read(word.text, line, script.values | values, script.functions)


def _variable(text):
    """What stands in the `${…}` that a text begins with, and the rest of the text."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if index > 1 and depth == 0:
            return text[2:index], text[index + 1 :]
    return text[2:], ""


def _values(text, script, seen):
    """The values that the first word of a command may have; None where they are not known."""
    if not text.startswith("${"):
        return [text]
    expression, rest = _variable(text)
    if "/" in rest:
        return [text]
    if rest:
        return None
    if found := re.match(r"\(command -v ([\w.-]+)", expression):
        return ["", found[1]]
    name = re.match(r"\w*", expression)[0]
    if name in HANDED_IN:
        return [name]
    known = list(script.values.get(name, [])) if name and name not in seen else []
    if default := re.match(r"\w+:?[-=](.*)", expression):
        known.append(default[1])
    if not known:
        return None
    values = []
    for value in known:
        more = _values(re.sub(r"\$(\w+)", r"${\1}", value), script, seen | {name}) if value else [""]
        if more is None:
            return None
        values += more
    return values

"""Reads which programs a Swift file starts: by `Process`, `posix_spawn`, `exec…`, `system` and `popen`.

A program that is a parameter of the function around the start is followed to the calls of that function, in all files.
Scripts inside of string literals are read by their own languages' readers.
"""

import re
import textwrap
from dataclasses import dataclass

import python
import shell
from started import Start

TEXT_STARTERS = {"system", "popen"}
# Functions by which argument is the program.
STARTERS = {"posix_spawn": 1, "posix_spawnp": 1} | dict.fromkeys(
    ["execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe"], 0
)
INTERESTING = re.compile(r"\b(system|popen|posix_spawnp?|exec[lv]\w*|Process(\.run)?)\s*\(|\"(sh|bash)\"|subprocess|os\.system")


@dataclass(frozen=True)
class Token:
    """`kind` is `name`, `text` (a string literal, decoded, with `${…}` for what is interpolated) or the sign itself."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Function:
    """A function or initializer: its parameters (label and name), and the tokens from its name to its body's end."""

    owner: str
    name: str
    parameters: tuple
    is_static: bool
    start: int
    end: int


_SIGN = re.compile(r"\s+|//[^\n]*|(?P<name>[A-Za-z_`]\w*`?)|(?P<number>\d[\w.]*)|(?P<quote>#*\"(?:\"\")?)|(?P<sign>.)", re.S)


def tokens(text):
    found, at, line, counted = [], 0, 1, 0
    while at < len(text):
        line, counted = line + text.count("\n", counted, at), at
        if text.startswith("/*", at):
            at = (text.find("*/", at) + 2) or len(text)
            continue
        match = _SIGN.match(text, at)
        at = match.end()
        if match["quote"]:
            content, at = _literal(text, at, match["quote"])
            found.append(Token("text", content, line))
        elif match["name"]:
            found.append(Token("name", match["name"], line))
        elif match["sign"] or match["number"]:
            found.append(Token(match["sign"] or "number", match[0], line))
    return found


def _literal(text, at, quote):
    """The content of the literal after an opening quote, and where it ends."""
    hashes = quote.count("#")
    if quote.endswith('"""') and text.startswith('"', at) and not text.startswith("\n", at):
        return "", at + 1 + hashes
    closing, escape = quote.lstrip("#") + "#" * hashes, "\\" + "#" * hashes
    content = []
    while at < len(text) and not text.startswith(closing, at):
        if text.startswith(escape + "(", at):
            start = at + len(escape)
            at = _balanced(text, start)
            content.append("${" + text[start + 1 : at - 1].replace("{", "(").replace("}", ")").replace('"', "") + "}")
        elif text.startswith(escape, at):
            at += len(escape)
            plain = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\n": ""}
            content.append(plain.get(text[at], text[at]))
            at += 1
        else:
            content.append(text[at])
            at += 1
    return "".join(content), at + len(closing)


def _balanced(text, at):
    """Where the parenthesis at a place is closed, over literals inside."""
    depth = 0
    while at < len(text):
        if text[at] == '"':
            _, at = _literal(text, at + 1, '"')
            continue
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
        if depth == 0:
            break
    return at


class File:
    """A Swift file's tokens, its functions and its starts."""

    def __init__(self, path, text):
        self.path, self.source = path, text
        self.tokens = tokens(text)
        self._functions = None

    def is_name(self, index, *names):
        return 0 <= index < len(self.tokens) and self.tokens[index].kind == "name" and self.tokens[index].text in names

    def sign(self, index):
        return self.tokens[index].kind if 0 <= index < len(self.tokens) else ""

    def close(self, index):
        """The index of the token that closes the bracket at an index."""
        depth = 0
        for place in range(index, len(self.tokens)):
            depth += (self.tokens[place].kind in ("(", "[", "{")) - (self.tokens[place].kind in (")", "]", "}"))
            if depth == 0:
                return place
        return len(self.tokens)

    def arguments(self, index):
        """The arguments in the bracket at an index: label and first token of each."""
        end, found, place = self.close(index), [], index + 1
        while place < end:
            label = ""
            if self.sign(place) == "name" and self.sign(place + 1) == ":":
                label, place = self.tokens[place].text, place + 2
            found.append((label, place))
            while place < end and self.sign(place) != ",":
                place = self.close(place) + 1 if self.sign(place) in ("(", "[", "{") else place + 1
            place += 1
        return found

    @property
    def functions(self):
        if self._functions is None:
            self._functions = list(self._read_functions())
        return self._functions

    def _read_functions(self):
        owners = []
        for index in range(len(self.tokens)):
            if self.is_name(index, "class", "struct", "enum", "actor", "extension", "protocol") and self.sign(
                index + 1
            ) == "name" and not self.is_name(index + 1, "func", "var", "let"):
                body = self._body(index)
                owners.append((self.tokens[index + 1].text, index, body))
            if self.is_name(index, "func") or (self.is_name(index, "init") and self.sign(index - 1) != "."):
                is_function = self.is_name(index, "func")
                bracket = next((at for at in range(index + 1, len(self.tokens)) if self.sign(at) == "("), None)
                if bracket is None or (not is_function and bracket > index + 2):
                    continue
                owner = next((name for name, start, end in reversed(owners) if start < index < end), "")
                parameters = []
                for label, place in self.arguments(bracket):
                    if label:
                        # `label name: Type` has two names in front of the colon, which is the argument reader's label.
                        before = self.tokens[place - 3] if self.sign(place - 3) == "name" else None
                        parameters.append((before.text if before else label, label))
                    elif self.sign(place) == "name" and self.sign(place + 1) == "name":
                        outer = self.tokens[place].text
                        parameters.append(("" if outer == "_" else outer, self.tokens[place + 1].text))
                yield Function(
                    owner,
                    self.tokens[index + 1].text if is_function else "init",
                    tuple(parameters),
                    self.is_name(index - 1, "static") or self.is_name(index - 2, "static"),
                    index,
                    self._body(self.close(bracket)),
                )

    def _body(self, index):
        """The end of the body that follows a head."""
        for place in range(index, len(self.tokens)):
            if self.sign(place) == "{":
                return self.close(place)
            if self.sign(place) == "}":
                return place
        return len(self.tokens)

    def function(self, index):
        """The innermost function around a token."""
        around = [one for one in self.functions if one.start < index <= one.end]
        return max(around, key=lambda one: one.start, default=None)


class _Unknown(Exception):
    """The value of an expression is known only at run time."""


class Reader:
    """Reads a set of files that call each other's functions."""

    def __init__(self, files):
        """`files` maps paths to texts."""
        self.texts = files
        self.parsed = {}

    def file(self, path):
        if path not in self.parsed:
            self.parsed[path] = File(path, self.texts[path])
        return self.parsed[path]

    def read(self, path):
        """Every start in a file. A program that a caller passes in is reported at the call."""
        if not INTERESTING.search(self.texts[path]) and not self._calls_starter(path):
            return
        file = self.file(path)
        for index, token in enumerate(file.tokens):
            if token.kind == "text":
                yield from self._script(token)
            elif token.kind == "[":
                yield from self._shell_words(file, index)
            if token.kind != "name" or file.is_name(index - 1, "func", "case"):
                continue
            if file.sign(index - 1) == "." and not file.is_name(index - 2, "Glibc", "Darwin", "Foundation"):
                continue
            try:
                yield from self._start(file, index, token)
            except _Unknown as unknown:
                yield Start(token.line, problem=f"the program of `{token.text}` is {unknown}")
        yield from self._handed_in(file)

    def _start(self, file, index, token):
        if file.sign(index + 1) != "(" and token.text != "Process":
            return
        if token.text in TEXT_STARTERS:
            place = file.arguments(index + 1)[0][1]
            for text in self._texts(file, place):
                yield from shell.read(text, token.line)
        elif token.text in STARTERS:
            arguments = file.arguments(index + 1)
            if len(arguments) > STARTERS[token.text]:
                yield from self._programs(file, arguments[STARTERS[token.text]][1], token.line)
        elif token.text == "Process" and (file.sign(index + 1) == "(" or file.is_name(index + 2, "run")):
            yield from self._processes(file, index, token.line)

    # Foundation's

    def _process(self, file, index):
        """The tokens at which the program and the arguments of a `Process` begin, after `=`, `:` or `(`."""
        function = file.function(index)
        start, end = (function.start, function.end) if function else (0, len(file.tokens))
        programs, arguments = [], []
        for at in range(start, end):
            if file.is_name(at, "executableURL", "launchPath", "run") and file.sign(at + 1) in ("=", "("):
                place = at + 2
                # `URL(filePath: PLACE)` and the like
                while file.sign(place) == "name" and file.sign(place + 1) in ("(", ":"):
                    place += 2
                if file.sign(place) in ("text", "name"):
                    programs.append(place)
            elif file.is_name(at, "arguments") and file.sign(at + 1) in ("=", ":") and file.sign(at + 2) in ("[", "name"):
                arguments.append(at + 2)
        if not programs:
            raise _Unknown("no text beside it")
        return programs, arguments

    def _processes(self, file, index, line):
        programs, arguments = self._process(file, index)
        for place in programs:
            if file.sign(place) == "name" and self._declared(file, place) is None:
                yield from self._programs(file, place, line)
                continue
            words = [shell.Word(text) for text in self._texts(file, place)]
            lists = [self._list(file, one) for one in arguments]
            yield from shell.starts(words + next((one for one in lists if one), []), line)

    def _list(self, file, place):
        """The words of a list that stands at a token or is declared by that name; none for a parameter."""
        if file.sign(place) == "name":
            place = self._declared(file, place)
        return self._words(file, place) if place is not None and file.sign(place) == "[" else []

    # What expressions come to

    def _skip_marks(self, file, place):
        while file.is_name(place, "try", "await", "unsafe"):
            place += 1
        return place

    def _word(self, file, place):
        place = self._skip_marks(file, place)
        if file.sign(place) == "text":
            return shell.Word(file.tokens[place].text)
        if file.sign(place) == "name" and file.sign(place + 1) in (",", "]"):
            declared = self._declared(file, place)
            if declared is not None and file.sign(declared) == "text":
                return shell.Word(file.tokens[declared].text)
        word = shell.Word()
        names = [token.text for token in file.tokens[place : place + 6] if token.kind == "name"]
        word.add_variable("binary" if "binary" in names else (names or ["?"])[0])
        return word

    def _words(self, file, bracket):
        return [self._word(file, place) for _, place in file.arguments(bracket)]

    def _programs(self, file, place, line):
        """The starts of a program or a list of words at a token; none for a parameter, which is read at each call."""
        place = self._skip_marks(file, place)
        if file.sign(place) == "text":
            yield from shell.starts([shell.Word(file.tokens[place].text)], line)
        elif file.sign(place) == "[":
            yield from shell.starts(self._words(file, place), line)
        elif file.sign(place) == "name":
            if file.is_name(place, "binary"):
                return
            declared = self._declared(file, place)
            if declared is not None:
                yield from self._programs(file, declared, line)
            elif self._parameter(file, place) is None:
                raise _Unknown(f"known only when it runs (`{file.tokens[place].text}`)")
        else:
            raise _Unknown("no text")

    def _texts(self, file, place):
        place = self._skip_marks(file, place)
        if file.sign(place) == "text":
            return [file.tokens[place].text]
        if file.sign(place) == "name":
            declared = self._declared(file, place)
            if declared is not None:
                return self._texts(file, declared)
        raise _Unknown("no text")

    def _declared(self, file, place):
        """Where the value of a name begins, if the file declares it: nearest above in its function, or static."""
        name = file.tokens[place].text
        function = file.function(place)
        start = function.start if function else 0
        above = [at for at in range(start, place) if self._is_declaration(file, at, name)]
        if above:
            return above[-1] + 3
        if self._parameter(file, place) is not None:
            return None
        anywhere = [at for at in range(len(file.tokens)) if self._is_declaration(file, at, name)]
        return anywhere[0] + 3 if anywhere else None

    @staticmethod
    def _is_declaration(file, at, name):
        return file.is_name(at, "let", "var") and file.is_name(at + 1, name) and file.sign(at + 2) == "="

    def _parameter(self, file, place):
        """The function whose parameter a name is, and its position."""
        function = file.function(place)
        if function is None:
            return None
        for index, (_, inner) in enumerate(function.parameters):
            if inner == file.tokens[place].text:
                return function, index
        return None

    # Functions in this repository that start a program passed to them

    def starters(self):
        """Functions with a parameter that is a program: pairs of a path, a function and the parameter's position."""
        if not hasattr(self, "_starters"):
            self._starters = []
            for path, text in self.texts.items():
                if INTERESTING.search(text):
                    self._collect_starters(self.file(path))
            # Functions that pass their own parameter on to one of these.
            known = 0
            while known < len(self._starters):
                known = len(self._starters)
                for path in [path for path in self.texts if self._calls_starter(path)]:
                    file = self.file(path)
                    for place, _ in list(self._calls(file)):
                        self._add_starter(file, place)
        return self._starters

    def _collect_starters(self, file):
        for index, token in enumerate(file.tokens):
            if token.text in STARTERS and file.sign(index + 1) == "(":
                arguments = file.arguments(index + 1)
                if len(arguments) > STARTERS[token.text]:
                    self._add_starter(file, arguments[STARTERS[token.text]][1])
            elif token.text == "Process" and file.sign(index + 1) == "(":
                try:
                    programs, handed = self._process(file, index)
                except _Unknown:
                    continue
                for place in programs + handed:
                    self._add_starter(file, place)

    def _add_starter(self, file, place):
        place = self._skip_marks(file, place)
        if file.sign(place) != "name" or self._declared(file, place) is not None:
            return
        parameter = self._parameter(file, place)
        if parameter and (file.path, *parameter) not in self._starters:
            self._starters.append((file.path, *parameter))

    def _calls_starter(self, path):
        """Whether a file's text looks as if it had such a call."""
        return any(self._call_text(path, home, function) in self.texts[path] for home, function, _ in self._starters_now())

    @staticmethod
    def _call_text(path, home, function):
        if function.name == "init":
            return f"{function.owner}("
        if path == home:
            return f"{function.name}("
        return f"{function.owner if function.is_static else ''}.{function.name}("

    def _starters_now(self):
        return getattr(self, "_starters", None) or self.starters()

    def _calls(self, file):
        """Calls of starters in a file: the argument's first token, and the call's line."""
        for home, function, position in self._starters_now():
            name = function.owner if function.name == "init" else function.name
            label, _ = function.parameters[position]
            for index in range(len(file.tokens) - 1):
                if not file.is_name(index, name) or file.sign(index + 1) != "(" or file.is_name(index - 1, "func"):
                    continue
                if function.name != "init" and not self._is_meant(file, index, home, function):
                    continue
                arguments = file.arguments(index + 1)
                labelled = [place for given, place in arguments if label and given == label]
                if labelled:
                    yield labelled[0], file.tokens[index].line
                elif not label and position < len(arguments):
                    yield arguments[position][1], file.tokens[index].line

    @staticmethod
    def _is_meant(file, index, home, function):
        if file.sign(index - 1) != ".":
            return file.path == home
        if function.is_static:
            return file.is_name(index - 2, function.owner) or (file.path == home and file.is_name(index - 2, "Self"))
        return True

    def _handed_in(self, file):
        for place, line in self._calls(file):
            try:
                yield from self._programs(file, place, line)
            except _Unknown as unknown:
                yield Start(line, problem=f"the program that is passed here is {unknown}")

    # Scripts in literals

    def _script(self, token):
        if re.search(r"^\s*(import|from) ", token.text, re.M):
            try:
                yield from python.read(textwrap.dedent(token.text), token.line)
            except SyntaxError:
                return

    def _shell_words(self, file, bracket):
        """`["sh", "-c", TEXT, …]`, wherever it goes."""
        first = bracket + 1
        if file.sign(first) == "text" and file.tokens[first].text in shell.SHELLS:
            words = self._words(file, bracket)
            if len(words) > 2 and words[1].text.startswith("-"):
                yield from shell.starts(words, file.tokens[bracket].line)

"""Reads which programs a Python file starts, from its syntax tree; nothing is imported or run.

The first argument of a start is traced within the file: through lists, variables, attributes, parameters and the calls
that fill them, and loops over literals.
"""

import ast

import shell
from started import HANDED_IN, Start

# Functions by module: whether their first argument is a text for the shell.
STARTERS = {
    "subprocess": dict.fromkeys(["run", "Popen", "call", "check_call", "check_output"], False)
    | dict.fromkeys(["getoutput", "getstatusoutput"], True),
    "asyncio": {"create_subprocess_exec": False, "create_subprocess_shell": True},
    "os": dict.fromkeys(
        ["execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe", "posix_spawn", "posix_spawnp"],
        False,
    )
    | dict.fromkeys(["system", "popen"], True),
    "pty": {"spawn": False},
}
SPAWNERS = {"spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe"}


def read(text, line=1):
    """Every start in a program's text, whose first line is that line of its file."""
    if not any(module in text for module in STARTERS):
        return []
    tree = ast.parse(text)
    ast.increment_lineno(tree, line - 1)
    return list(_File(tree).starts())


def imports(text):
    """File names of modules that a program imports, and of files that its strings name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (f"{alias.name}.py" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield f"{node.module}.py"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield node.value


class _Unknown(Exception):
    """The value of an expression is known only at run time."""


class _File:
    def __init__(self, tree):
        self.tree = tree
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.modules, self.functions = {}, {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.modules |= {(alias.asname or alias.name): alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                self.functions |= {(alias.asname or alias.name): (node.module, alias.name) for alias in node.names}

    def starts(self):
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and (starter := self._starter(node)):
                yield from self._start(node, *starter)

    def _starter(self, node):
        """Which argument names the program, and whether it is a text for the shell; None for other calls."""
        function = node.func
        if isinstance(function, ast.Attribute):
            owner, name = ast.unparse(function.value), function.attr
            module = self.modules.get(owner.partition(".")[0], owner).partition(".")[0]
        elif isinstance(function, ast.Name) and function.id in self.functions:
            module, name = self.functions[function.id]
            module = (module or "").partition(".")[0]
        else:
            return None
        if (module == "os" and name in SPAWNERS) or name in ("subprocess_exec", "subprocess_shell"):
            return 1, name == "subprocess_shell"
        is_text = STARTERS.get(module, {}).get(name)
        if is_text is None:
            return None
        return 0, is_text or any(word.arg == "shell" and ast.unparse(word.value) == "True" for word in node.keywords)

    def _start(self, node, index, is_text):
        given = node.args[index:] or [word.value for word in node.keywords if word.arg == "args"]
        try:
            if not given:
                raise _Unknown(ast.unparse(node))
            if is_text:
                for text in self._texts(given[0], set()):
                    yield from shell.read(text, node.lineno)
                return
            for words in self._commands(given[0], set()):
                # `create_subprocess_exec("sh", "-c", …)` has its words as arguments.
                more = [self._word(one) for one in given[1:]] if len(words) == 1 else []
                yield from shell.starts([*words, *more], node.lineno)
        except _Unknown as unknown:
            yield Start(node.lineno, problem=f"the program of `{unknown}` is known only when it runs")

    # What expressions come to: lists of words, of which the first is the program.

    def _word(self, node):
        word = shell.Word()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word.text = node.value
        else:
            try:
                texts = self._texts(node, set())
            except _Unknown:
                texts = []
            if len(texts) == 1 and not isinstance(node, ast.JoinedStr):
                word.text = texts[0]
            else:
                word.add_variable(ast.unparse(node).replace("{", "(").replace("}", ")"))
        return word

    def _commands(self, node, seen):
        """The commands that an expression may be."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [[shell.Word(node.value)]]
        if isinstance(node, ast.List | ast.Tuple) and node.elts:
            return [[*command, *map(self._word, node.elts[1:])] for command in self._commands(node.elts[0], seen)]
        if isinstance(node, ast.Starred):
            return self._commands(node.value, seen)
        if isinstance(node, ast.JoinedStr):
            return self._joined(node, seen)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._commands(node.left, seen)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return [[shell.Word(f"*/{ast.unparse(node.right)[1:-1]}")]]
        if isinstance(node, ast.IfExp):
            return self._commands(node.body, seen) + self._commands(node.orelse, seen)
        if isinstance(node, ast.BoolOp):
            return [command for value in node.values for command in self._commands(value, seen)]
        if isinstance(node, ast.Call):
            return self._called(node, seen)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, seen)
        if isinstance(node, ast.Name):
            return self._name(node, seen)
        raise _Unknown(ast.unparse(node))

    def _joined(self, node, seen):
        first = node.values[0]
        if isinstance(first, ast.Constant):
            return [[shell.Word(first.value if len(node.values) == 1 else first.value + "*")]]
        if len(node.values) > 1 and isinstance(node.values[1], ast.Constant) and node.values[1].value.startswith("/"):
            return [[shell.Word("*" + node.values[1].value)]]
        return self._commands(first.value, seen)

    def _called(self, node, seen):
        name = ast.unparse(node.func)
        if name.endswith("with_name"):
            return [[shell.Word(f"*/{ast.unparse(node.args[0])[1:-1]}")]]
        if name.endswith(("str", "Path", "fspath", "which", "resolve", "list", "tuple")):
            inner = node.args[0] if node.args else node.func.value
            return self._commands(inner, seen)
        if name == "shlex.split":
            return [
                command.words
                for text in self._texts(node.args[0], seen)
                for command in shell.parse(text, node.lineno).commands
            ]
        raise _Unknown(ast.unparse(node))

    def _attribute(self, node, seen):
        if ast.unparse(node) == "sys.executable":
            return [[shell.Word("python3")]]
        if node.attr in HANDED_IN:
            return [[shell.Word(node.attr)]]
        assigned = [
            one.value
            for one in ast.walk(self.tree)
            if isinstance(one, ast.Assign) and any(ast.unparse(target) == ast.unparse(node) for target in one.targets)
        ]
        return self._all(assigned, node, seen)

    def _name(self, node, seen):
        if node.id in HANDED_IN:
            return [[shell.Word(node.id)]]
        function = self._function(node)
        assigned = self._assigned(node.id, function) or self._assigned(node.id, None)
        if assigned:
            return self._all(assigned, node, seen)
        if function is None or isinstance(function, ast.Lambda):
            raise _Unknown(node.id)
        return self._all(self._arguments(node.id, function), node, seen)

    def _all(self, values, node, seen):
        values = [value for value in values if value not in seen]
        if not values:
            raise _Unknown(ast.unparse(node))
        return [command for value in values for command in self._commands(value, seen | set(values))]

    def _function(self, node):
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return None

    def _assigned(self, name, function):
        """What a name is assigned in a function, or at the top of the file; loop variables get each value of the loop."""
        values = []
        for node in ast.walk(function or self.tree):
            if function is None and self._function(node) is not None:
                continue
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                values += [node.value for target in targets if isinstance(target, ast.Name) and target.id == name]
            elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                values += self._looped(name, node)
        return values

    def _looped(self, name, loop):
        names = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
        places = [index for index, one in enumerate(names) if isinstance(one, ast.Name) and one.id == name]
        if not places:
            return []
        over = loop.iter
        if isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and isinstance(over.func.value, ast.Dict):
            pairs = over.func.value
            columns = {"items": [pairs.keys, pairs.values], "values": [pairs.values], "keys": [pairs.keys]}
            return columns.get(over.func.attr, [[over]] * len(names))[places[0]]
        if isinstance(over, ast.List | ast.Tuple):
            if len(names) == 1:
                return over.elts
            return [one.elts[places[0]] if isinstance(one, ast.Tuple | ast.List) else one for one in over.elts]
        return [over]

    def _arguments(self, name, function):
        """What the calls in this file pass for a parameter."""
        parameters = [*function.args.posonlyargs, *function.args.args]
        names = [parameter.arg for parameter in parameters]
        is_method = names[:1] in (["self"], ["cls"])
        is_rest = function.args.vararg is not None and function.args.vararg.arg == name
        if name not in names and not is_rest:
            return []
        index = (len(names) if is_rest else names.index(name)) - is_method
        values = []
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call) or not self._is_call(node, function):
                continue
            values += [word.value for word in node.keywords if word.arg == name] or node.args[index : index + 1]
        return values

    def _is_call(self, node, function):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        owner = self.parents.get(function)
        if function.name == "__init__" and isinstance(owner, ast.ClassDef):
            return called == owner.name
        return called == function.name

    def _texts(self, node, seen):
        """The shell scripts that an expression may be; a value in braces becomes a variable."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.JoinedStr):
            return ["".join(one.value if isinstance(one, ast.Constant) else "${0_}" for one in node.values)]
        if isinstance(node, ast.Name):
            function = self._function(node)
            values = self._assigned(node.id, function) or self._assigned(node.id, None)
            values = [value for value in values if value not in seen]
            if values:
                return [text for value in values for text in self._texts(value, seen | set(values))]
        raise _Unknown(ast.unparse(node))

"""What a reader finds in a file: programs that it starts, files of ours that it runs, and starts that cannot be read."""

from dataclasses import dataclass

# Names of what a caller hands in by its path: the program under test, and the interpreter of the interop suite.
HANDED_IN = {"binary", "purser", "sdk"}


@dataclass(frozen=True)
class Start:
    """One start of a program.

    `program` is a name that is looked up in PATH, without folders. `file` is a pattern (`*` for what is only known later)
    of a path in the repository, for a start of one of our own files. Where neither can be told, `problem` says why.
    """

    line: int
    program: str = ""
    file: str = ""
    problem: str = ""
    arguments: tuple = ()

"""What a reader finds in a file: started programs, files of this repository that are run, and unreadable starts."""

from dataclasses import dataclass

# Names of variables for programs that are passed in by path: the program under test, and the interop suite's interpreter.
HANDED_IN = {"binary", "purser", "sdk"}


@dataclass(frozen=True)
class Start:
    """One start of a program.

    `program` is a name that is looked up in PATH, without folders. For one of the repository's own files `file` is its
    path, with `*` for parts that are known only at run time. Where neither can be read, `problem` says why.
    """

    line: int
    program: str = ""
    file: str = ""
    problem: str = ""
    arguments: tuple = ()

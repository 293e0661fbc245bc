"""Requests that are wrong in one or several of the ways in which requests are smuggled.

Each carries a marker in its target. Inside it, where only a server that reads it otherwise finds a request, is another one
whose target begins with `/smuggled`: it names no gateway, so that the proxy never forwards what it reads as a request there.
"""

LENGTHS = ["content-length", "Content-Length", "CONTENT-LENGTH"]
CODINGS = ["transfer-encoding", "Transfer-Encoding", "TRANSFER-ENCODING"]
SYMBOLS = "_.~^!#$%&'*+|`"
ENDS = ["\r\n"] * 40 + ["\n", "\r", "\r\r\n", "\n\r\n", "\x0b\r\n", " \r\n", "\t\r\n", "\0\r\n", "\r\n ", "\r\n\t"]
CODING_VALUES = ["chunked"] * 12 + [
    "Chunked", "CHUNKED", " chunked", "chunked ", "\tchunked", "\x0bchunked", "chunked\x0c", "chunked\0", "xchunked",
    "identity", "chunked, identity", "identity, chunked", "gzip, chunked", "chunked, chunked", "chunked;q=1", '"chunked"',
    ",chunked", "chunked,", "chunke\xc4\xb7d", "", "chunked\r\n ", "\r\n chunked",
]
OTHER_NAMES = [
    "X-A", "user_id", "X_B", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Host", "X-Forwarded-For",
    "X_Forwarded_For", "Cookie", "Content_Type", "X-HTTP-Method-Override", "X-Original-URL", "Max-Forwards", "Accept_Encoding",
]
OTHER_VALUES = ["b", "", "close", "keep-alive", "content-length", "Transfer-Encoding", "100-continue", "trailers", "h2c", "0"]
EXTENSIONS = ["", "", "", "", ";", ";a", ";a=b", ';a="', ';a="b"', " ;a", "\t;a", " ", ";\0", ";\n", ";" + "x" * 300]
BAD_SIZES = ["0x{:x}", "+{:x}", "-{:x}", " {:x}", "{:x} ", "{:x}h", "{:x}_0", "{:x}.0", "1{:016x}", "{:x}\0"]


class Malformed:
    """Makes one request after the other from a source of random choices."""

    def __init__(self, random):
        self.random = random
        # Most requests have few faults, or none would pass.
        self.wildness = random.choice([0.02, 0.1, 0.1, 0.3, 1])

    def chance(self, share):
        return self.random.random() < share

    def odd(self, share):
        """Whether something is done that plain HTTP/1.1 does not have."""
        return self.random.random() < share * self.wildness

    def name(self, names):
        """A name, often with an underscore or another symbol in place of its hyphens, sometimes worse."""
        name = self.random.choice(names)
        if self.odd(0.35):
            symbol = "_" if self.chance(0.6) else self.random.choice(SYMBOLS)
            name = name.replace("-", symbol)
        if self.odd(0.04):
            name = self.random.choice([name + " ", name + "\t", " " + name, name + "\0", name[:-1], name + "x", "X-" + name])
        return name

    def number(self, value):
        """A length, often as it should be."""
        if not self.odd(0.5):
            return str(value)
        return self.random.choice([
            f"0{value}", f"00{value}", f"{value:o}", f"0{value:o}", f"{value:x}", f"0x{value:x}", f"+{value}", f"-{value}",
            f" {value}", f"{value} ", f"{value},{value}", f"{value}, 0", f"0,{value}", f"{value}\0", f"{value}\x0b",
            f"{value}.0", f"{value}e0", f'"{value}"', f"{value}_0", "", "0", str(value + 1), str(max(0, value - 1)),
            str(2**64 + value), str(2**63), f"{value}\r\n ",
        ])  # fmt: skip

    def end(self):
        return self.random.choice(ENDS) if self.odd(1) else "\r\n"

    def coding(self):
        return self.random.choice(CODING_VALUES) if self.odd(1) else "chunked"

    def smuggled(self, number):
        return f"GET /smuggled-{number} HTTP/1.1\r\nHost: x\r\n\r\n"

    def chunks(self, parts, number):
        text = ""
        for part in parts:
            size = f"{len(part):x}"
            if self.odd(0.3):
                size = self.random.choice(["0", "00", "000000"]) + size
            if self.odd(0.06):
                size = self.random.choice(BAD_SIZES).format(len(part))
            if self.odd(0.04):
                size = f"{len(part) + self.random.choice([-1, 1, 2, 16]):x}"
            text += size + self.extension() + self.end() + part + self.end()
        text += self.random.choice(["0", "0", "0", "00", "0000"]) + self.extension() + self.end()
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])):
            text += self.trailer(number) + self.end()
        return text + self.end()

    def extension(self):
        return self.random.choice(EXTENSIONS) if self.odd(0.4) else ""

    def trailer(self, number):
        blank = "" if self.chance(0.6) else self.random.choice([" ", "\t", "  "])
        if self.chance(0.4):
            name = self.random.choice(["X", "AB", "x-a", "GET", "P", "_", "user_id"])
            return f"{name}:{blank}GET /smuggled-{number} HTTP/1.1"
        return f"{self.name(LENGTHS + CODINGS + OTHER_NAMES)}:{blank}{self.random.choice(['5', 'chunked', '40', 'b'])}"

    def request(self, path, host, token, number):
        """The bytes of a request to `path`, and whether nothing was done to them that is not plain HTTP/1.1."""
        hidden = self.smuggled(number)
        body = self.random.choice([hidden, "x" * 8 + hidden, hidden * 2, f"0\r\n\r\n{hidden}", "8\r\n" + hidden, "", "hello"])
        lines = [f"Host: {host}", f"X-Api-Key: {token}"]
        framing, kind = [], self.random.random()
        is_chunked = kind > 0.5
        if kind < 0.45 or self.odd(0.2):
            framing.append(f"{self.name(LENGTHS)}:{self.random.choice(['', ' '])}{self.number(len(body))}")
        if is_chunked:
            framing.append(f"{self.name(CODINGS)}: {self.coding()}")
        while self.odd(0.25):
            framing.append(
                f"{self.name(LENGTHS)}: {self.number(len(body))}" if self.chance(0.5)
                else f"{self.name(CODINGS)}: {self.coding()}"
            )  # fmt: skip
        while self.chance(0.2):
            framing.append(f"{self.name(OTHER_NAMES)}: {self.random.choice(OTHER_VALUES)}")
        lines += framing
        self.random.shuffle(lines)
        method = self.random.choice(["POST"] * 6 + ["GET", "PUT", "HEAD", "OPTIONS", "DELETE"])
        version = "HTTP/1.1"
        if self.odd(0.2):
            version = self.random.choice(["HTTP/1.0", "HTTP/1.2", "HTTP/1.9", "HTTP/0.9", "HTTP/2.0", "http/1.1"])
        first = f"{method} {path} {version}"
        if self.odd(0.04):
            first = self.random.choice([f"{method}  {path} {version}", f"{method}\t{path} {version}", f" {first}", f"{first} "])
        text = first + self.end()
        for line in lines:
            text += line + self.end()
        text += self.end()
        if is_chunked:
            cut = self.random.randrange(len(body) + 1)
            parts = [part for part in self.random.choice([[body], [body[:cut], body[cut:]], [hidden]]) if part]
            text += self.chunks(parts, number)
        else:
            text += body
        data = bytearray(text.encode("latin-1", "replace"))
        target = range(data.find(path.encode()), data.find(path.encode()) + len(path) + 1)
        while self.odd(0.15):
            position = self.random.randrange(len(data))
            # The marker stays what it is.
            if position in target:
                break
            match self.random.randrange(3):
                case 0: data[position] = self.random.choice(b"\r\n\t \0:,;_-0123456789aZ\xff")
                case 1: del data[position]
                case 2: data.insert(position, self.random.choice(b"\r\n\t \0:,;_-0123456789aZ\xff"))
        return bytes(data)

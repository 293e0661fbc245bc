"""What left the process: the payments that anybody outside was shown."""

import base64
import hashlib
import json
import re
import time

FIELD = re.compile(rb"\r\n(?:payment-signature|x-payment): *([^\r\n]+)\r\n", re.IGNORECASE)
REPORT = re.compile(rb"\r\n(?:x-)?payment-response: *([^\r\n]+)\r\n", re.IGNORECASE)


def decoded(text):
    return json.loads(base64.b64decode(text + b"=" * (-len(text) % 4)))


class Seen:
    """Authorizations by their nonces, and which of them a seller says it has settled."""

    def __init__(self):
        self.headers = {}
        self.first = {}
        self.settled = set()
        self.unreadable = []

    def note(self, header):
        """Remembers a payment header; returns its nonce."""
        try:
            payload = decoded(header)["payload"]
            nonce = (payload.get("authorization") or payload["permit2Authorization"])["nonce"].lower()
            nonce = nonce if nonce.startswith("0x") else f"0x{int(nonce):064x}"
        except (KeyError, ValueError, TypeError, AttributeError):
            self.unreadable.append(header[:200])
            return None
        self.headers.setdefault(nonce, set()).add(hashlib.sha256(header).digest()[:8])
        self.first.setdefault(nonce, time.time())
        return nonce


class Listening:
    """Reads along on one connection: requests in one direction, their answers in the other, one at a time."""

    KEPT = 32 * 1024

    def __init__(self, seen):
        self.seen = seen
        self.asked, self.answered = b"", b""
        self.nonce = None

    def request(self, data):
        self.asked = self._look(FIELD, self.asked + data, self._paid)

    def answer(self, data):
        self.answered = self._look(REPORT, self.answered + data, self._reported)

    def _look(self, field, text, found):
        end = 0
        for match in field.finditer(text):
            found(match.group(1))
            # The line's end is left: it may be the beginning of the next field's.
            end = match.end() - 2
        return text[max(end, len(text) - self.KEPT) :]

    def _paid(self, header):
        self.nonce = self.seen.note(header)

    def _reported(self, report):
        try:
            is_settled = decoded(report).get("success") is True
        except (ValueError, AttributeError):
            return
        if is_settled and self.nonce:
            self.seen.settled.add(self.nonce)

"""Certificates for sellers behind TLS, made by the openssl command; needs no package."""

import subprocess


def certify(directory):
    """An authority and its certificate for localhost: (trust file, certificate, key)."""
    names = {name: directory / f"seller-{name}.pem" for name in ("ca", "ca-key", "request", "certificate", "key")}
    names["extensions"] = directory / "seller-extensions"
    names["extensions"].write_text("subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for command in [
        ["req", "-x509", *key, "-keyout", names["ca-key"], "-out", names["ca"], "-subj", "/CN=seller", "-days", "2"],
        ["req", *key, "-keyout", names["key"], "-out", names["request"], "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", names["request"], "-CA", names["ca"], "-CAkey", names["ca-key"], "-CAcreateserial"]
        + ["-days", "2", "-extfile", names["extensions"], "-out", names["certificate"]],
    ]:
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return names["ca"], names["certificate"], names["key"]

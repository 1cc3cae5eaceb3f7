#!/usr/bin/env python3
"""Writes the roots that Mozilla trusts to name servers as one PEM file.

usage: bundle.py YYYYMMDD certdata.txt blacklist.txt

The date is that of the list. A root that Mozilla trusts only for certificates
issued before an earlier date than that is left out: no TLS library that reads
a PEM file could make the distinction.
"""

import base64
import hashlib
import re
import sys
import textwrap


def read_objects(path):
    """Yields each object of certdata.txt as a dict, attribute to str or bytes."""
    with open(path, encoding="utf-8") as file:
        lines = iter(file.read().split("BEGINDATA\n", 1)[1].splitlines())
    current = {}
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        name, kind, *value = line.split(maxsplit=2)
        if name == "CKA_CLASS" and current:
            yield current
            current = {}
        if kind == "MULTILINE_OCTAL":
            octets = []
            for data in lines:
                if data == "END":
                    break
                octets += re.findall(r"\\([0-7]{3})", data)
            current[name] = bytes(int(octet, 8) for octet in octets)
        else:
            current[name] = value[0] if value else ""
    yield current


def main(date, certdata, blacklist):
    with open(blacklist, encoding="utf-8") as file:
        unwanted = {line.strip() for line in file if line.startswith('"')}
    roots, trusted = {}, set()
    for item in read_objects(certdata):
        identity = item.get("CKA_ISSUER"), item.get("CKA_SERIAL_NUMBER")
        if item["CKA_CLASS"] == "CKO_CERTIFICATE":
            limit = item.get("CKA_NSS_SERVER_DISTRUST_AFTER", "CK_FALSE")
            # CK_FALSE, or a time as YYMMDDhhmmssZ.
            if limit != "CK_FALSE" and "20" + limit.decode()[:6] < date:
                continue
            if item["CKA_LABEL"] not in unwanted:
                roots[identity] = item["CKA_LABEL"].strip('"'), item["CKA_VALUE"]
        elif item["CKA_CLASS"] == "CKO_NSS_TRUST":
            if item["CKA_TRUST_SERVER_AUTH"] == "CKT_NSS_TRUSTED_DELEGATOR":
                trusted.add(identity + (item["CKA_CERT_SHA1_HASH"],))

    written = 0
    for identity, (label, der) in sorted(roots.items(), key=lambda root: root[1]):
        if identity + (hashlib.sha1(der).digest(),) not in trusted:
            continue
        body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
        print(f"# {label}\n-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----")
        written += 1
    if written < 50:
        sys.exit(f"bundle.py: only {written} roots in {certdata}: has its format changed?")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main(*sys.argv[1:])

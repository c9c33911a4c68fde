"""Certificates as the tests need them, good and bad, made with the openssl command."""
import shutil
import subprocess

import pytest

CA_CONFIG = """
[ca]
default_ca = here
[here]
dir = {folder}
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
policy = any
default_md = sha256
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
EC = ("ec", "ec_paramgen_curve:prime256v1")


def openssl(*arguments):
    done = subprocess.run(["openssl", *[str(a) for a in arguments]], capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(str(a) for a in arguments)}:\n{done.stderr}"


class Authority:
    """One CA: `ca` is its certificate."""

    def __init__(self, folder, name="Test CA"):
        if not shutil.which("openssl"):
            print("SKIPPED: no openssl to make certificates with")
            pytest.skip("no openssl to make certificates with")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.config = folder, folder / "ca.cnf"
        self.ca, self.key = folder / "ca.pem", folder / "ca.key"
        self.config.write_text(CA_CONFIG.format(folder=folder))
        (folder / "index").write_text("")
        (folder / "serial").write_text("01\n")
        openssl("req", "-x509", "-config", self.config, "-extensions", "root", "-newkey", EC[0], "-pkeyopt", EC[1],
                "-nodes", "-keyout", self.key, "-out", self.ca, "-days", 30, "-subj", f"/CN={name}")

    def issue(self, name, san="DNS:localhost,IP:127.0.0.1", start=None, end=None, digest="sha256", key=EC,
              usage="serverAuth"):
        """(certificate, key): `start` and `end` as YYYYMMDDHHMMSSZ; else good for 30 days."""
        request, cert, private = (self.folder / f"{name}.{kind}" for kind in ("csr", "pem", "key"))
        san = ["-addext", f"subjectAltName={san}"] if san else []
        openssl("req", "-new", "-config", self.config, "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-keyout",
                private, "-out", request, "-subj", f"/CN={name}", *san, "-addext", f"extendedKeyUsage={usage}")
        span = (["-startdate", start] if start else []) + (["-enddate", end] if end else ["-days", 30])
        openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.ca, "-keyfile", self.key, "-in",
                request, "-out", cert, "-md", digest, *span)
        return cert, private


def self_signed(folder):
    """(certificate, key) for localhost that no CA has signed."""
    folder.mkdir(parents=True, exist_ok=True)
    cert, private = folder / "own.pem", folder / "own.key"
    openssl("req", "-x509", "-newkey", EC[0], "-pkeyopt", EC[1], "-nodes", "-keyout", private, "-out", cert, "-days",
            30, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    return cert, private

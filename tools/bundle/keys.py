"""Keys for update bundles: a root whose certificate goes into every toy, and one below it that signs bundles.

The root's key is needed only to make another signing key; keep it where no computer is. The certificates hold from 1970
to 9999: a toy has no clock that could be relied on, and it outlives every period that would be chosen.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from epsilon.updates.bundle import UpdateError

KEYRING, CERTIFICATE, KEY, ROOT_KEY = "keyring.pem", "update.pem", "update.key", "root.key"

# emailProtection is the use that RAUC asks of whoever signs a bundle.
SETTINGS = """\
[ca]
default_ca = own
[own]
new_certs_dir = {folder}
database = {folder}/index.txt
rand_serial = yes
default_md = sha256
policy = named
default_startdate = 19700101000000Z
default_enddate = 99991231235959Z
[named]
commonName = supplied
[root]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = nobody
prompt = no
[nobody]
commonName = nobody
"""


def make(folder: Path) -> None:
    """Make both keys in a new folder; UpdateError where there are keys already, which are never written over."""
    if any((folder / name).exists() for name in (KEYRING, CERTIFICATE, KEY, ROOT_KEY)):
        raise UpdateError(
            "holds keys already", str(folder), "toys that know them take no bundle of other keys"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Path(scratch)
        (place / "settings").write_text(SETTINGS.format(folder=place), encoding="utf-8")
        (place / "index.txt").touch()
        (place / "index.txt.attr").write_text("unique_subject = no\n")
        _key(place / ROOT_KEY)
        _certificate(place, ROOT_KEY, KEYRING, "Epsilon updates, root", "root", "-selfsign")
        _key(place / KEY)
        _certificate(place, KEY, CERTIFICATE, "Epsilon updates", "leaf", "-cert", str(place / KEYRING))
        for name in (ROOT_KEY, KEY, CERTIFICATE, KEYRING):
            (place / name).rename(folder / name)


def _key(path: Path) -> None:
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path))
    path.chmod(0o600)


def _certificate(place: Path, key: str, out: str, name: str, kind: str, *signer: str) -> None:
    settings, request = ["-config", str(place / "settings")], str(place / "request")
    _openssl("req", "-new", *settings, "-key", str(place / key), "-subj", f"/CN={name}", "-out", request)
    _openssl(
        *("ca", "-batch", "-notext", *settings, "-extensions", kind, *signer),
        *("-keyfile", str(place / ROOT_KEY), "-in", request, "-out", str(place / out)),
    )


def _openssl(*arguments: str) -> None:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as absent:
        raise UpdateError("openssl is not installed", hint="apt install openssl") from absent
    if done.returncode:
        raise UpdateError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")

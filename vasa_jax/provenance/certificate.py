"""Certificates that sign manifests: one's own, or a test one made on this machine."""

import contextlib
import dataclasses
import datetime
import os
import pathlib

from vasa_jax.errors import UserError

TEST_NAME = "vasa_jax local test"
"""Organisation in the test certificate, so that no reader takes it for anybody's."""

_YEARS = 10


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What signs.

    Attributes:
        chain: PEM, the signer's certificate first.
        private_key: PEM, PKCS #8, unencrypted.
        algorithm: as C2PA names it, such as "es256".
    """

    chain: bytes
    private_key: bytes = dataclasses.field(repr=False)
    algorithm: str = "es256"


def read(chain: str | os.PathLike[str], private_key: str | os.PathLike[str]):
    """Read one's own certificate.

    Args:
        chain: file in PEM, the signer's certificate first.
        private_key: file in PEM: an elliptic curve of 256, 384 or 521 bits, Ed25519, or
            RSA.

    Raises:
        UserError: a file cannot be read, is no such PEM, or they do not belong
            together.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        chain_pem = pathlib.Path(chain).read_bytes()
        key_pem = pathlib.Path(private_key).read_bytes()
    except OSError as error:
        raise UserError(
            f"Cannot read {error.filename}: {error.strerror}; name another file."
        ) from error
    try:
        signer = x509.load_pem_x509_certificates(chain_pem)[0]
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, IndexError) as error:
        raise UserError(
            f"{chain} and {private_key} are not a certificate and an unencrypted "
            "private key in PEM; give such files."
        ) from error
    if signer.public_key() != key.public_key():
        raise UserError(
            f"The certificate {chain} does not belong to the key {private_key}; give "
            "two that do."
        )
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Certificate(chain_pem, encoded, _algorithm(key))


def _algorithm(key) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        known = {256: "es256", 384: "es384", 521: "es512"}
        if key.key_size in known:
            return known[key.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise UserError(
        "The private key is of a kind that C2PA does not sign with; give one of an "
        "elliptic curve (256, 384 or 521 bits), Ed25519 or RSA."
    )


def of_test() -> Certificate:
    """Return this machine's test certificate, made when it is first asked for.

    Ours: in the user's cache, so that files of one machine show one signer; nobody
    vouches for it, and readers say so.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    path = pathlib.Path(cache) / "vasa_jax" / "test_certificate.pem"
    try:
        private_key, chain = path.read_bytes().split(b"\n\n", 1)
    except (OSError, ValueError):
        private_key, chain = _make()
        # Where nothing can be kept, every file has a signer of its own.
        with contextlib.suppress(OSError):
            _keep(path, private_key + b"\n\n" + chain)
    return Certificate(chain, private_key)


def _keep(path: pathlib.Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
        file.write(content)
    os.replace(partial, path)


def _make() -> tuple[bytes, bytes]:
    """Make a key and a chain of two certificates, as C2PA asks for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    oid = x509.NameOID

    def named(name):
        attributes = {oid.COMMON_NAME: name, oid.ORGANIZATION_NAME: TEST_NAME}
        return x509.Name([x509.NameAttribute(*pair) for pair in attributes.items()])

    def certified(name, public_key, is_root):
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        usage |= {
            "digital_signature": not is_root,
            "key_cert_sign": is_root,
            "crl_sign": is_root,
        }
        identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            root_key.public_key()
        )
        builder = (
            x509.CertificateBuilder(
                issuer_name=named("root"),
                subject_name=named(name),
                public_key=public_key,
                serial_number=x509.random_serial_number(),
                not_valid_before=now - datetime.timedelta(days=1),
                not_valid_after=now + datetime.timedelta(days=365 * _YEARS),
            )
            .add_extension(x509.BasicConstraints(is_root, None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(issuer, critical=False)
        )
        if not is_root:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]),
                critical=False,
            )
        return builder.sign(root_key, hashes.SHA256())

    encoding = serialization.Encoding.PEM
    chain = [
        certified("signer", key.public_key(), is_root=False),
        certified("root", root_key.public_key(), is_root=True),
    ]
    private_key = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private_key.strip(), b"".join(one.public_bytes(encoding) for one in chain)

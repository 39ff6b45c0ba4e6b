# SPDX-License-Identifier: Apache-2.0
"""Why a key, a signature, an envelope or a key file was refused.  Each class is one reason."""

from quorumseal.refusal import Refusal


class SignatureError(Refusal):
    """Base of every refusal by this package."""

    code = "signature.refused"


class BadSignatureError(SignatureError):
    """The signature is not this key's signature of this message."""

    code = "signature.bad"


class MalformedSignatureError(BadSignatureError):
    """The signature is not written in the one way that its scheme has."""

    code = "signature.malformed"


class SmallOrderSignatureError(BadSignatureError):
    """The signature's point has a small order, so that it could fit several keys or messages."""

    code = "signature.small_order"


class PublicKeyError(SignatureError):
    """Base of every reason why a public key cannot be enrolled."""

    code = "key.refused"


class MalformedKeyError(PublicKeyError):
    """The bytes are not a public key of the scheme, written in its one way."""

    code = "key.malformed"


class NotCanonicalKeyError(PublicKeyError):
    """The key's point is written in another way than the one that everybody computes."""

    code = "key.not_canonical"


class SmallOrderKeyError(PublicKeyError):
    """The key's point has a small order: signatures under it need no private key."""

    code = "key.small_order"


class NotInGroupKeyError(PublicKeyError):
    """The key's point is not on the curve, or not in the group of prime order."""

    code = "key.not_in_group"


class EnvelopeError(SignatureError):
    """Base of every reason why an envelope cannot be read."""

    code = "envelope.refused"
    usual_hint = "make it with this version of quorumseal, or as docs/spec/encodings.md says"


class PayloadTypeError(EnvelopeError):
    """The envelope says that it carries something else than a statement."""

    code = "envelope.payload_type"


class SignatureCountError(EnvelopeError):
    """The envelope has no signature, or more than its place allows."""

    code = "envelope.signature_count"


class SignatureOrderError(EnvelopeError):
    """The signatures of an envelope do not ascend, or one of them is there twice."""

    code = "envelope.signature_order"


class Base64Error(EnvelopeError):
    """Bytes in the envelope are not in canonical base64."""

    code = "envelope.base64"


class KeyFileError(SignatureError):
    """Base of every reason why a private key file cannot be read."""

    code = "key_file.refused"


class MalformedKeyFileError(KeyFileError):
    """The file is not a private key that this version knows."""

    code = "key_file.malformed"


class WrongPassphraseError(KeyFileError):
    """The passphrase does not open the file, or the file was damaged."""

    code = "key_file.wrong_passphrase"


class PassphraseNeededError(KeyFileError):
    """The file is encrypted, and no passphrase was given."""

    code = "key_file.passphrase_needed"


class UnencryptedKeyFileError(KeyFileError):
    """The file is not encrypted, although a passphrase was given for it."""

    code = "key_file.unencrypted"


class TimestampError(SignatureError):
    """Base of every reason why a timestamp, or an authority for them, was refused."""

    code = "timestamp.refused"


class TimestampLibraryError(TimestampError):
    """There is a timestamp to check, and what checks it is not installed."""

    code = "timestamp.library"
    usual_hint = "install it with: pip install 'quorumseal[timestamps]'"


class AuthorityCertificateError(TimestampError):
    """The certificate of a timestamp authority is not one that can be pinned."""

    code = "timestamp.certificate"
    usual_hint = "name the certificate, in PEM, that the authority's own certificates lead back to: its root"


class MalformedTimestampError(TimestampError):
    """The bytes are not an RFC 3161 token in DER, or not one that this version can read."""

    code = "timestamp.malformed"


class TimestampAlgorithmError(TimestampError):
    """The token was made with a hash function other than those of the specification."""

    code = "timestamp.algorithm"


class OtherImprintError(TimestampError):
    """The token is for other bytes."""

    code = "timestamp.imprint"


class NonceError(TimestampError):
    """The token answers another question than the one that was asked."""

    code = "timestamp.nonce"


class NotGrantedError(TimestampError):
    """The authority refused to say what time it is."""

    code = "timestamp.not_granted"


class UnknownAuthorityError(TimestampError):
    """The token is by nobody whose word the policy takes."""

    code = "timestamp.authority"


class AuthorityExpiredError(TimestampError):
    """A certificate of the authority was not valid at the time that the token states."""

    code = "timestamp.expired"


class AuthorityPurposeError(TimestampError):
    """The certificate of whoever signed the token is not for timestamps alone."""

    code = "timestamp.purpose"


class TimestampSignatureError(TimestampError):
    """The token was changed, or its signature is not the authority's."""

    code = "timestamp.signature"

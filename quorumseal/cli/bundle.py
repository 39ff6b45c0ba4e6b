# SPDX-License-Identifier: Apache-2.0
"""``bundle show``, ``extract`` and ``timestamps``: what a published file says, and files for other tools."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.cli import ceremony_screen
from quorumseal.cli.bundle_timestamps import add_arguments, timestamps
from quorumseal.cli.errors import UsageError
from quorumseal.cli.files import read_bundle_file, read_trust_file, write_new
from quorumseal.cli.output import print_json, screen
from quorumseal.cli.table import Command
from quorumseal.signatures import PAYLOAD_TYPE, Scheme
from quorumseal.signatures.dsse import pae
from quorumseal.terminal import Mark, paste
from quorumseal.verifier.bundle import read_bundle
from quorumseal.verifier.policy_chain import own_policy, walk


def _add_show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the published file")


def show(arguments: Namespace) -> int:
    """Show what a bundle says about itself.

    Its signatures and rules are replayed, but against the policy that it brings along: only `verify`, with a
    trust file and the artifacts, says whether to believe it.
    """
    policy, chain = _replayed(arguments.bundle)
    ceremony = chain.ceremony
    if arguments.json:
        print_json({"verified": False, **ceremony_screen.ceremony_json(ceremony, policy)})
        return 0
    drawn = screen()
    what = ceremony_screen.release_name(ceremony)
    drawn.answer(
        Mark.WARNING,
        f"this bundle says that {what} is {ceremony.state}; nobody has verified that here",
    )
    ceremony_screen.draw_request(drawn, ceremony, policy)
    ceremony_screen.draw_artifacts(drawn, ceremony)
    ceremony_screen.draw_decisions(drawn, ceremony)
    artifact = ceremony.request.statement.subjects[0].name
    where = ["--bundle", str(arguments.bundle), "--trust", "trust.json"]
    drawn.next("Verify an artifact before you use it", ["quorumseal", "verify", artifact, *where])
    return 0


def _add_extract_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the published file")
    parser.add_argument("--signer", required=True, metavar="NAME", help="whose decision")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the folder for the files")
    parser.add_argument(
        "--trust", type=Path, help="take the key only from a policy that this trust file pins"
    )


def extract(arguments: Namespace) -> int:
    """Write one signer's decision as files that openssl can check.

    NAME.signed holds the exact bytes that were signed (the statement in its DSSE encoding), NAME.sig the
    signature, NAME.pem the public key that the policy lists for the signer, NAME.json the statement alone.
    """
    _, chain = _replayed(arguments.bundle, arguments.trust)
    decision = _decision_of(arguments.signer, chain)
    key, envelope = decision.key.key, decision.envelope
    base = str(arguments.out / decision.signer)
    contents = {
        "signed": (pae(PAYLOAD_TYPE, envelope.payload), "the bytes that were signed"),
        "sig": (envelope.signature, "the signature"),
        "pem": (key.to_pem(), "the public key"),
        "json": (envelope.payload, "the statement, which the signed bytes contain"),
    }
    for suffix, (data, _) in contents.items():
        write_new(Path(f"{base}.{suffix}"), data)
    command, choice = openssl_command(key.scheme, base), str(decision.statement.choice)
    if arguments.json:
        files = {suffix: f"{base}.{suffix}" for suffix in contents}
        said = {"signer": decision.signer, "choice": choice, "key": key.key_id}
        print_json({**said, "files": files, "command": paste(command)})
        return 0
    drawn = screen()
    drawn.answer(Mark.DONE, f"wrote the {choice} of {decision.signer} to {arguments.out}")
    drawn.facts([(f"  {decision.signer}.{suffix}", what) for suffix, (_, what) in contents.items()])
    drawn.facts([("  key", key.key_id)])
    if not arguments.trust:
        drawn.warn(
            "the key is the one that the bundle itself names; give --trust to hold it against the policy"
        )
    drawn.next("Let openssl check it", command)
    return 0


def openssl_command(scheme: Scheme, base: str) -> list[str]:
    """Return the command by which openssl checks what was extracted."""
    match scheme:
        case Scheme.ED25519:
            verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", f"{base}.pem", "-rawin"]
            return [*verify, "-in", f"{base}.signed", "-sigfile", f"{base}.sig"]
        case Scheme.ECDSA_P256:
            verify = ["openssl", "dgst", "-sha256", "-verify", f"{base}.pem"]
            return [*verify, "-signature", f"{base}.sig", f"{base}.signed"]


def _replayed(path: Path, trust: Path | None = None) -> tuple[SignedPolicy, Chain]:
    """Replay a bundle's ceremony, under the policy that the trust file leads to or else its own."""
    bundle = read_bundle(read_bundle_file(path))
    if trust is not None:
        policy = walk(bundle.policies, read_trust_file(trust))
    else:
        policy = own_policy(bundle.policies[-1])
    return policy, replay_chain(bundle.parts[-1].entries, policy)


def _decision_of(signer: str, chain: Chain) -> Signed[Decision]:
    decisions = chain.ceremony.decisions
    if signer not in decisions:
        names = ", ".join(sorted(decisions)) or "nobody did"
        raise UsageError(f"expected a signer who decided in this ceremony ({names}), got {signer}")
    return decisions[signer]


VERBS = {
    "show": Command("show what a bundle says about itself", _add_show_arguments, show, show.__doc__ or ""),
    "extract": Command(
        "write a decision as files for openssl", _add_extract_arguments, extract, extract.__doc__ or ""
    ),
    "timestamps": Command(
        "write the timestamps as files for openssl", add_arguments, timestamps, timestamps.__doc__ or ""
    ),
}

"""Seals and opens packets with scapy: one JSON object per line in, one answer per line out."""

import json
import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.ipsec import AH, ESP, SecurityAssociation  # noqa: E402


def parse(octets):
    return IP(octets) if octets[0] >> 4 == 4 else IPv6(octets)


def association(ask):
    tunnel = ask.get("tunnel")
    header = None
    if tunnel:
        kind = IPv6 if ":" in tunnel["src"] else IP
        header = kind(src=tunnel["src"], dst=tunnel["dst"])
    return SecurityAssociation(
        {"esp": ESP, "ah": AH}[ask["protocol"]],
        spi=ask["spi"],
        seq_num=ask["sequence"],
        crypt_algo=ask.get("cipher"),
        crypt_key=bytes.fromhex(ask.get("key", "")) or None,
        auth_algo=ask.get("integrity"),
        auth_key=bytes.fromhex(ask.get("integrityKey", "")) or None,
        tunnel_header=header,
        esn_en=ask["esn"],
        esn=ask.get("sequenceHigh", 0),
    )


def answer(ask):
    sa = association(ask)
    packet = parse(bytes.fromhex(ask["packet"]))
    if ask["kind"] == "seal":
        return bytes(sa.encrypt(packet, esn_en=ask["esn"], esn=ask.get("sequenceHigh", 0))).hex()
    return bytes(sa.decrypt(packet, verify=True, esn_en=ask["esn"], esn=ask.get("sequenceHigh", 0))).hex()


for line in sys.stdin:
    try:
        print(json.dumps({"packet": answer(json.loads(line))}), flush=True)
    except Exception as error:  # what scapy refuses is an answer, too
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)

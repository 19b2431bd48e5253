"""Sees every packet that arrives in the internet: also those that nothing listens for."""

import ipaddress
import socket
import struct
import threading

ETH_P_ALL = 3
OUTGOING = 4
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6", 132: "sctp"}


def describe(frame):
    """{'to', 'protocol', 'port'} of an IP packet that begins something (a TCP SYN, any other protocol); else None."""
    if len(frame) < 34:
        return None
    kind = struct.unpack("!H", frame[12:14])[0]
    packet = frame[14:]
    if kind == 0x0800:
        protocol, to, rest = packet[9], packet[16:20], packet[(packet[0] & 15) * 4:]
    elif kind == 0x86DD and len(packet) >= 40:
        protocol, to, rest = packet[6], packet[24:40], packet[40:]
    else:
        return None
    name = PROTOCOLS.get(protocol, str(protocol))
    if name == "icmp6" and rest[:1] in (b"\x85", b"\x86", b"\x87", b"\x88", b"\x8f"):
        return None  # neighbours and routers: the kernel's own
    if protocol == 0 or (name == "icmp6" and not rest):
        return None  # multicast reports of the kernel
    port = struct.unpack("!H", rest[2:4])[0] if name in ("tcp", "udp") and len(rest) >= 4 else None
    if name == "tcp" and (len(rest) < 14 or rest[13] & 0x12 != 0x02):
        return None
    return {"to": str(ipaddress.ip_address(to)), "protocol": name, "port": port}


def start(interface, log):
    watcher = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    watcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    watcher.bind((interface, 0))

    def watch():
        while True:
            frame, (_, _, direction, _, _) = watcher.recvfrom(128)
            event = describe(frame) if direction != OUTGOING else None
            if event:
                log.write(event)
    threading.Thread(target=watch, daemon=True).start()

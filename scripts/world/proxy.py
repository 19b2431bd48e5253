"""A proxy that allows everything and looks at nothing: with it the tests show that what they try would get through
if nobody stood in the way. It listens on the loopback of the world's host."""

import socket
import struct
import threading

from . import dns
from .names import RESOLVER

PORT = 3128


def resolve(name):
    query = b"\0\1\1\0\0\1\0\0\0\0\0\0" + dns.encode_name(name) + struct.pack("!HH", dns.A, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)
        asking.connect((RESOLVER, 53))
        asking.send(query)
        reply = asking.recv(4096)
    position = len(query)
    for _ in range(struct.unpack("!H", reply[6:8])[0]):
        while reply[position]:
            position += reply[position] + 1
        kind, _, _, size = struct.unpack("!HHIH", reply[position + 1:position + 11])
        if kind == dns.A:
            return socket.inet_ntoa(reply[position + 11:position + 15])
        position += 11 + size
    raise OSError("no address")


def pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    try:
        head = b""
        while b"\n" not in head:
            data = client.recv(1 << 16)
            if not data:
                return
            head += data
        method, target = head.split()[:2]
        authority = target if method == b"CONNECT" else target.split(b"/")[2]
        host, _, port = authority.decode().rpartition("@")[2].rpartition(":")
        if not host:
            host, port = port, "80"
        host = host.strip("[]")
        try:
            address = str(socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0][4][0])
        except OSError:
            address = resolve(host)
        server = socket.create_connection((address, int(port)), timeout=5)
        server.settimeout(None)
        if method == b"CONNECT":
            while b"\r\n\r\n" not in head:
                head += client.recv(1 << 16)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            head = head.partition(b"\r\n\r\n")[2]
        if head:
            server.sendall(head)
        threading.Thread(target=pump, args=(server, client), daemon=True).start()
        pump(client, server)
    except (OSError, ValueError, IndexError):
        client.close()


def start():
    # Listens before it returns.
    listening = socket.create_server(("127.0.0.1", PORT), backlog=256)

    def accept():
        while True:
            client, _ = listening.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()

"""The client that runs inside a jail, or beside it for comparison: does what lines of JSON on its standard input say,
and answers with lines of JSON. It uses nothing but the standard library and is given to python3 as text."""

import base64
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

LOCK = threading.Lock()
SPAWNED = {}
MOST = 1 << 20


def text(data):
    return base64.b64encode(data).decode()


def run(order):
    """A program to its end."""
    start = time.monotonic()
    # start_new_session: what it leaves running can be ended with it.
    process = subprocess.Popen(order["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, **order.get("env", {})}, cwd=order.get("cwd", "/tmp"),
                               start_new_session=True)
    timer = threading.Timer(order.get("timeout", 30), lambda: os.killpg(process.pid, 9))
    timer.start()
    try:
        out, err = process.communicate(base64.b64decode(order.get("input", "")))
    finally:
        timer.cancel()
    return {"status": process.returncode, "out": text(out[:MOST]), "err": text(err[:MOST]), "size": len(out),
            "sha256": hashlib.sha256(out).hexdigest(), "seconds": time.monotonic() - start}


def write(order):
    with open(order["path"], "wb") as file:
        file.write(base64.b64decode(order["data"]))
    return {}


def spawn(order):
    """A program that stays; its first line says that it is ready."""
    process = subprocess.Popen(order["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/tmp",
                               stderr=subprocess.STDOUT, env={**os.environ, **order.get("env", {})})
    SPAWNED[process.pid] = process
    return {"pid": process.pid, "line": process.stdout.readline().strip()}


def end(order):
    """Closes what `spawn` started; what it still said."""
    process = SPAWNED.pop(order["pid"])
    try:
        out, _ = process.communicate(timeout=order.get("timeout", 10))
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
    return {"status": process.returncode, "out": text(out.encode())}


class Stop(Exception):
    def __init__(self, stage, error):
        self.stage, self.error = stage, str(error)


def proxy_address():
    host, _, port = os.environ["http_proxy"].rpartition("/")[2].rpartition(":")
    return host, int(port)


def dial(order):
    """(socket, what the proxy said)"""
    via = order.get("via", "direct")
    if via == "direct":
        try:
            places = socket.getaddrinfo(order.get("address") or order["host"], order["port"],
                                        type=socket.SOCK_STREAM)
        except OSError as error:
            raise Stop("resolve", error)
        place = places[0]
    else:
        place = socket.AF_INET, socket.SOCK_STREAM, 0, "", proxy_address()
    connection = socket.socket(*place[:2])
    connection.settimeout(order.get("timeout", 10))
    try:
        connection.connect(place[4])
    except OSError as error:
        connection.close()
        raise Stop("connect", error)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if via == "connect":
        authority = order.get("authority") or f"{order['host']}:{order['port']}"
        head = order.get("connect_head") or f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
        answer = b""
        try:
            connection.sendall(head.encode("latin-1"))
            while b"\r\n\r\n" not in answer:
                data = connection.recv(1)
                if not data:
                    raise Stop("proxy", answer.decode("latin-1") or "closed")
                answer += data
        except OSError as error:
            raise Stop("proxy", error)
        if b" 200" not in answer.split(b"\r\n")[0]:
            connection.settimeout(1)
            try:
                answer += connection.recv(4096)
            except OSError:
                pass
            raise Stop("proxy", answer.decode("latin-1"))
    return connection


def wrap(connection, order):
    tls = order.get("tls")
    if not tls:
        return connection
    context = ssl.create_default_context()
    name = tls.get("sni", order["host"])
    if not tls.get("verify", True) or not name:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls.get("alpn"):
        context.set_alpn_protocols(tls["alpn"])
    if tls.get("maximum"):
        context.maximum_version = getattr(ssl.TLSVersion, tls["maximum"])
    try:
        return context.wrap_socket(connection, server_hostname=name or None)
    except OSError as error:
        raise Stop("tls", error)


def raw(order):
    """Sends pieces of bytes with pauses, half-closes if asked, and reads until the end or the time-out."""
    start = time.monotonic()
    received, stage, error, alpn = b"", "done", None, None
    try:
        connection = wrap(dial(order), order)
        alpn = connection.selected_alpn_protocol() if order.get("tls") else None
        try:
            for piece, pause in order.get("send", []):
                connection.sendall(base64.b64decode(piece))
                time.sleep(pause / 1000)
            if order.get("abort"):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
                return {"stage": "aborted", "data": "", "error": None, "alpn": alpn,
                        "seconds": time.monotonic() - start}
            if order.get("finish"):
                (connection if not order.get("tls") else connection).shutdown(socket.SHUT_WR)
            until = base64.b64decode(order["until"]) if order.get("until") else None
            while len(received) < order.get("most", MOST) and not (until and until in received):
                data = connection.recv(1 << 16)
                if not data:
                    break
                received += data
        except OSError as problem:
            error = str(problem)
        connection.close()
    except Stop as stop:
        stage, error = stop.stage, stop.error
    return {"stage": stage, "error": error, "data": text(received), "alpn": alpn, "seconds": time.monotonic() - start}


def datagram(order):
    """Sends one, and what came back."""
    start = time.monotonic()
    family = socket.AF_INET6 if ":" in order["address"] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(order.get("timeout", 2))
        try:
            asking.connect((order["address"], order["port"]))
            asking.send(base64.b64decode(order["data"]))
            return {"data": text(asking.recv(1 << 16)), "error": None, "seconds": time.monotonic() - start}
        except OSError as error:
            return {"data": "", "error": str(error), "seconds": time.monotonic() - start}


def environment(_):
    return dict(os.environ)


def many(order):
    """Several `raw` at the same time."""
    results = [None] * len(order["orders"])

    def one(number):
        results[number] = raw(order["orders"][number])
    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"results": results}


ORDERS = {"run": run, "write": write, "spawn": spawn, "end": end, "raw": raw, "datagram": datagram,
          "environment": environment, "many": many}


def serve(order):
    try:
        answer = ORDERS[order["do"]](order)
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    with LOCK:
        sys.stdout.write(json.dumps({"id": order["id"], **answer}) + "\n")
        sys.stdout.flush()


threading.stack_size(256 << 10)
sys.stdout.write('{"id": 0}\n')
sys.stdout.flush()
for line in sys.stdin:
    threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()

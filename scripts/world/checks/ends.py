"""clawjail-egress dies: nothing is ever opened by that."""

import time

from .. import ways
from ..check import check
from ..place import Failure


def dead_ends(t, place, seconds=2):
    """While there is no gateway, nothing gets out, by any way."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        mark = t.world.mark()
        for way in ways.WAYS:
            result = ways.send(place, way, "web.example", ways.request(way, "web.example", "POST", "/echo"), timeout=1)
            ways.refused(result)
        place.raw("11.22.33.44", 22, b"x", timeout=0.5)
        t.nothing_arrived(mark)
        t.only_resolver_packets(mark)


@check(profile="block", control=False, fresh=True)
def block(t, place):
    """With 'block' a killed gateway leaves a jail without network, which says so, and nothing queues"""
    ways.served(t, place)
    place.kill_egress()
    t.world.settle(0.3)
    for way in ways.WAYS:
        result = ways.get(place, way, timeout=3)
        t.expect(result.http_status is None and result.seconds < 1.5, f"{way}: {result.seconds} {result.data[:100]!r}")
    dead_ends(t, place)
    t.expect(place.egress(0.2) is None, "it was started again")
    t.expect("egress" in place.said() or "way out" in place.said(), f"nothing was said: {place.said()[-300:]!r}")


@check(profile="restart", control=False, fresh=True)
def restart(t, place):
    """With 'restart' a killed gateway comes back, and clients that trust the jail's authority still do"""
    place.write("/tmp/patient.py", b"""
import ssl, sys, urllib.request
context = ssl.create_default_context()  # read once, before
print("ready", flush=True); sys.stdin.read()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
print(opener.open("https://web.example/", timeout=10).read().decode())
""")
    ways.served(t, place)
    patient = place.order("spawn", argv=["/usr/bin/python3", "/tmp/patient.py"])
    first = place.kill_egress()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        again = place.egress(1)
        if again and again != first:
            break
    t.expect(again and again != first, "it was not started again")
    t.world.settle(0.5)
    for way in ways.WAYS:
        ways.served(t, place, way)
    mark = t.world.mark()
    ways.refused(ways.send(place, "direct 443", "web.example", ways.request("direct 443", "web.example", "POST", "/x")))
    t.nothing_arrived(mark)
    done = place.order("end", pid=patient.pid)
    t.expect(b"hello from web" in done.out, done.out.decode())


@check(profile="restart", control=False, fresh=True)
def restart_under_load(t, place):
    """Killed again and again under load, it never lets a denied request out"""
    import threading
    mark, stop, seen = t.world.mark(), threading.Event(), []

    def load(way):
        data = ways.request(way, "web.example", "POST", "/leak")
        while not stop.is_set():
            try:
                seen.append(ways.send(place, way, "web.example", data, timeout=1).http_status)
            except Failure:
                return
    threads = [threading.Thread(target=load, args=(way,)) for way in ways.WAYS]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            time.sleep(0.7)
            if place.egress(2):
                place.kill_egress()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    t.nothing_arrived(mark)
    t.expect(403 in seen, f"no denial was seen: {set(seen)}")


@check(profile="restart", control=False, fresh=True)
def too_many_restarts(t, place):
    """After too many ends in a minute it stays away, and the jail has no network"""
    for _ in range(12):
        if place.egress(2) is None:
            break
        place.kill_egress()
        time.sleep(0.1)
    t.expect(place.egress(1) is None, "it is still started again")
    dead_ends(t, place, 1)


@check(profile="stop", control=False, fresh=True)
def stop(t, place):
    """With 'stop' the jail ends with its gateway, and says why"""
    ways.served(t, place)
    place.kill_egress()
    status = place.process.wait(40)
    t.expect(status != 0, "status 0")
    t.expect("egress" in place.said(), f"nothing was said: {place.said()[-300:]!r}")


@check(profile="block", control=False, fresh=True)
def with_the_jail(t, place):
    """The gateway ends with its jail, also when the supervisor is killed"""
    import os
    pid = place.egress()
    t.expect(pid, "there is no clawjail-egress")
    place.process.kill()
    place.process.wait()
    deadline = time.monotonic() + 3
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.02)
    t.expect(not os.path.exists(f"/proc/{pid}"), "it lives on")


@check(profile="block", control=False)
def confined(t, place):
    """clawjail-egress is confined: no capabilities, seccomp, no new privileges, namespaces and root of its own"""
    import os
    pid = place.egress()
    t.expect(pid, "there is no clawjail-egress")
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
        t.expect(int(status[name], 16) == 0, f"{name} {status[name]}")
    t.expect(status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", "no seccomp filter")
    t.expect("0" not in status["Uid"].split(), f"uid {status['Uid']}")
    for kind in ("user", "mnt", "pid", "ipc"):
        t.expect(os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"), f"the host's {kind}")
    t.expect(os.listdir(f"/proc/{pid}/root") in ([], ["proc"]), f"its root shows {os.listdir(f'/proc/{pid}/root')}")
    t.expect(len(os.listdir(f"/proc/{pid}/task")) >= 1, "no thread")

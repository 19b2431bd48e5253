"""Checks: how they are written, run and counted."""

import os
import time
import traceback

from .place import Failure, Jail, Unconfined
from . import profiles, ways

CHECKS = []
# Checks that may fail once because a machine is busy.
MOST_REPEATED = 3


class Check:
    def __init__(self, function, profile, control, users, fresh):
        self.function, self.profile, self.control, self.users, self.fresh = function, profile, control, users, fresh
        self.topic = function.__module__.rpartition(".")[2]
        self.title = " ".join((function.__doc__ or function.__name__.replace("_", " ")).split()).rstrip(".")


def check(profile="research", control=True, users=("root",), fresh=False):
    """A function `f(t, place)` that raises Failure. `control`: it is also run with an unconfined client, where
    `place.confined` is false: things that work must work there too, and what a jail refuses must arrive. `users`:
    who starts clawjail. `fresh`: in a jail of its own, because it uses its jail up."""
    def register(function):
        CHECKS.append(Check(function, profile, control, users, fresh))
        return function
    return register


class Tester:
    """What a check gets as `t`."""

    def __init__(self, world, binary, user, verbose):
        self.world, self.binary, self.user, self.verbose = world, binary, user, verbose
        self.passed, self.failed, self.jails, self.free = 0, 0, {}, None
        self.count = self.repeated = 0

    def token(self):
        """A word that nothing else contains."""
        self.count += 1
        return f"tok{os.getpid()}x{self.count}x{os.urandom(4).hex()}"

    def expect(self, condition, text):
        if not condition:
            raise Failure(text() if callable(text) else text)

    # MARK: Places

    def jail(self, profile, who="root", fresh=False):
        key = profile, who
        jail = self.jails.get(key)
        if jail and jail.process.poll() is None and not fresh:
            return jail
        jail = Jail(self.world, self.binary, profiles.named(self.world, profile), self.user, who == "root")
        probe = profiles.PROBES.get(profile, profiles.DEFAULT_PROBE)
        try:
            result = probe and ways.get(jail, *probe)
            self.expect(not probe or result.http_status == 200, lambda: f"a jail without a way out: {result.stage} "
                        f"{result.error} {result.data[:200]!r}; it said: {jail.said()[-300:]!r}")
        except BaseException:
            jail.close()
            raise
        if not fresh:
            self.jails[key] = jail
        return jail

    def unconfined(self):
        if not self.free:
            self.free = Unconfined(self.world)
        return self.free

    def close(self):
        for place in [*self.jails.values(), *([self.free] if self.free else [])]:
            place.close()

    # MARK: What arrived

    def arrived(self, mark, kind="plain"):
        self.world.settle()
        return self.world.everything(mark, kind)

    def nothing_arrived(self, mark, but=()):
        """No origin and no trap has got a byte."""
        self.world.settle()
        grown = [name for name in self.world.grown(mark) if name not in but]
        self.expect(not grown, lambda: f"bytes reached {', '.join(grown)}: "
                    f"{b' | '.join(self.world.since(mark, f'{n}.plain')[:200] for n in grown)!r}")

    def only_resolver_packets(self, mark, allowed=()):
        """No packet left the host but to the resolver and to the addresses named."""
        from .names import RESOLVER
        self.world.settle()
        others = [event for event in self.world.events(mark, "packets.events")
                  if event["to"] not in (RESOLVER, *allowed)]
        self.expect(not others, lambda: f"packets left: {others[:4]}")

    def asked_names(self, mark):
        self.world.settle()
        return {event.get("name") for event in self.world.events(mark, "dns.events")}

    # MARK: Running

    def report(self, good, title, seconds, problem=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
        if self.verbose or not good:
            print(f"{'ok  ' if good else 'FAIL'} {title} ({seconds:.2f} s)" + (f"\n     {problem}" if problem else ""),
                  flush=True)

    def run(self, title, action):
        """A few that fail are run once more: what passes then is told as unsteady, and is to be looked into."""
        seconds, problem = self.attempt(action)
        if problem and self.repeated < MOST_REPEATED:
            self.repeated += 1
            first = problem
            seconds, problem = self.attempt(action)
            if not problem:
                print(f"unsteady: {title}\n     {first}", flush=True)
        self.report(not problem, title, seconds, problem)

    @staticmethod
    def attempt(action):
        """How long it took, and what was wrong."""
        start, problem = time.monotonic(), ""
        try:
            action()
        except Failure as failure:
            problem = str(failure)[:1500] or "it failed"
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            problem = f"{type(error).__name__}: {error} ({os.path.basename(place.filename)}:{place.lineno})"
        return time.monotonic() - start, problem

    def run_check(self, one, modes):
        if "control" in modes and one.control:
            self.run(f"control: {one.topic}: {one.title}", lambda: one.function(self, self.unconfined()))
        for who in ("root", "user"):
            if who in modes and who in one.users:
                self.run(f"{who}: {one.topic}: {one.title}", lambda: self.in_jail(one, who))

    def in_jail(self, one, who):
        if one.profile is None:
            one.function(self, None)
            return
        jail = self.jail(one.profile, who, one.fresh)
        try:
            one.function(self, jail)
        finally:
            if one.fresh:
                jail.close()

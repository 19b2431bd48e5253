"""Looks for a value in everything that a jail's programs can see, and in everything that clawjail writes."""

import base64
import os
import stat

from .place import Failure, children

PIECE = 32 << 20


class Search:
    """`since`: seconds since the epoch. A file that nothing of has changed since then cannot hold a value that was made later."""

    def __init__(self, value, since):
        self.since, self.files, self.bytes, self.memories, self.found = since, 0, 0, 0, []
        plain = value.encode()
        self.needles = {"plain": plain, "hexadecimal": plain.hex().encode()}
        for before in range(3):
            # Without the characters that also hold bits of what stands beside it.
            text = base64.b64encode(b"\0" * before + plain).rstrip(b"=")
            self.needles[f"base64 at {before}"] = text[before + 1:-2]
        self.longest = max(map(len, self.needles.values()))

    def look(self, place, data):
        self.bytes += len(data)
        for spelling, needle in self.needles.items():
            if needle in data:
                self.found.append(f"{spelling} in {place}")

    # MARK: Files

    def file(self, path, always=False):
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or not always and status.st_ctime < self.since:
                return
            with open(path, "rb") as file:
                self.files += 1
                rest = b""
                while piece := file.read(PIECE):
                    self.look(path, rest + piece)
                    rest = piece[-self.longest:]
        except OSError:
            # Gone, or nobody's to read.
            pass

    def tree(self, root, but=()):
        for directory, names, files in os.walk(root):
            names[:] = [name for name in names if os.path.join(directory, name) not in but]
            for name in files:
                self.file(os.path.join(directory, name))

    # MARK: A jail

    def jail(self, supervisor):
        """All processes that share the payload's root, and all files that they see."""
        inside = self.inside(supervisor)
        for pid in inside:
            root = f"/proc/{pid}/root"
            for name in ("environ", "cmdline", "status", "maps", "auxv"):
                self.file(f"/proc/{pid}/{name}", always=True)
            self.memory(pid)
        # As they see it: /proc too, whose files have no times.
        root = f"/proc/{inside[-1]}/root"
        self.tree(root, but=(f"{root}/proc", f"{root}/sys"))
        for directory in [f"{root}/proc", *(f"{root}/proc/{name}" for name in os.listdir(f"{root}/proc") if name.isdigit())]:
            for name in os.listdir(directory):
                # One of these waits for the kernel to say something.
                if name not in ("kmsg", "mem", "kcore", "pagemap"):
                    self.file(f"{directory}/{name}", always=True)

    @staticmethod
    def inside(supervisor):
        def root(pid):
            try:
                return os.readlink(f"/proc/{pid}/ns/mnt"), os.readlink(f"/proc/{pid}/exe")
            except OSError:
                return None, ""
        found = {pid: root(pid) for pid in children(supervisor)}
        payload = [space for space, program in found.values() if "python" in os.path.basename(program)]
        if not payload:
            raise Failure("the jail has no payload")
        return [pid for pid, (space, _) in found.items() if space == payload[0]]

    def memory(self, pid):
        try:
            with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                self.memories += 1
                for line in maps:
                    place, permissions, *_ = line.split()
                    # What is mapped from files and never written is those files.
                    if permissions[0] != "r" or permissions[1] != "w" and len(line.split()) > 5:
                        continue
                    self.region(pid, memory, *(int(end, 16) for end in place.split("-")))
        except OSError as error:
            raise Failure(f"the memory of {pid} cannot be read: {error}") from None

    def region(self, pid, memory, start, end):
        while start < end:
            try:
                piece = os.pread(memory.fileno(), min(PIECE, end - start), start)
            except OSError:
                # vvar and its like are the kernel's.
                return
            if not piece:
                return
            self.look(f"the memory of {pid} at {start:x}", piece)
            start += max(len(piece) - self.longest, 1) if start + len(piece) < end else len(piece)

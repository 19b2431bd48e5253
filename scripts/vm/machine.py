"""A machine: an image, a disk with what it is to run, and its output."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import threading

from . import image

# In MiB.
MEMORY = 2048


_running = set()


def stop_all():
    """Ends every machine; whoever waits for one hears that it did not end by itself."""
    for process in list(_running):
        process.kill()


class Machine:
    """One boot of an image. Nothing it writes outlives it."""

    def __init__(self, root, work, processors=2):
        self.root = root
        self.work = work
        self.processors = processors

    def run(self, tree, script, sink, seconds):
        """Boots, runs `script` with `tree` at /srv/host, hands each line of its output to `sink`; its exit status.

        None if it did not end within `seconds`, or never said how: the console's end then says why.
        """
        stage = os.path.join(self.work, "stage")
        shutil.copytree(tree, stage, symlinks=True)
        with open(os.path.join(stage, "run"), "w") as file:
            file.write(script)
        size = sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(stage) for name in names)
        disk = os.path.join(self.work, "host.ext4")
        image.make_disk(stage, disk, f"{size * 5 // 4 // 1024 + 65536}K")
        shutil.rmtree(stage)
        console = os.path.join(self.work, "console")
        self.results = os.path.join(self.work, "results.tar")
        process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(self.processors),
             "-m", str(MEMORY), "-nodefaults", "-display", "none", "-no-reboot", "-nic", "none",
             "-kernel", self.root.kernel, "-initrd", self.root.ramdisk,
             "-append", "root=/dev/vda rw console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off apparmor=1 "
                        "security=apparmor audit=1 systemd.show_status=0 swapaccount=1",
             "-drive", f"file={self.root.disk},if=virtio,format=raw,snapshot=on,cache=unsafe",
             "-drive", f"file={disk},if=virtio,format=raw,readonly=on",
             "-serial", f"file:{console}", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
             "-chardev", "file,id=out,path=/dev/fd/1", "-device", "virtserialport,chardev=out,name=clawjail",
             "-chardev", f"file,id=results,path={self.results}",
             "-device", "virtserialport,chardev=results,name=results"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        _running.add(process)
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        status = None
        try:
            for line in process.stdout:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                ended = re.fullmatch(r"@@ended (\d+)", text)
                if ended:
                    status = int(ended[1])
                elif status is None:
                    sink(text)
            process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            _running.discard(process)
        if status is None:
            with open(console, errors="replace") as file:
                sink("console: " + file.read()[-4000:])
        return status


def run(release, cache, tree, script, sink, seconds, processors=2, results=None):
    """Boots `release` once; files that the script leaves in /var/tmp/results are unpacked into `results`."""
    root = image.Image(release, cache)
    root.prepare()
    with tempfile.TemporaryDirectory(prefix="machine-", dir=cache) as work:
        machine = Machine(root, work, processors)
        status = machine.run(tree, script, sink, seconds)
        if results and os.path.exists(machine.results) and os.path.getsize(machine.results):
            os.makedirs(results, exist_ok=True)
            subprocess.run(["tar", "-C", results, "-xf", machine.results], check=True)
        return status


def words(command):
    """A command line as a script."""
    return " ".join(shlex.quote(word) for word in command)

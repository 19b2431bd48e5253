"""Images of the machines that the tests boot: Debian with systemd, cgroup v2 and AppArmor, and a kernel of its own.

An image is made once for each recipe and kept; no boot writes to it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
MIRROR = os.environ.get("CLAWJAIL_DEBIAN_MIRROR", "http://deb.debian.org/debian")

# Debian 12 has kernel 6.1, systemd 252 and AppArmor 3.0; Debian 13 has 6.12, 257 and 4.1.
RELEASES = ("bookworm", "trixie")

PACKAGES = (
    "systemd systemd-sysv udev dbus dbus-user-session libpam-systemd linux-image-amd64 kmod zstd "
    "apparmor auditd man-db bash-completion ca-certificates "
    "curl e2fsprogs git iproute2 nodejs openssl perl procps python3 uidmap util-linux attr bubblewrap").split()

# What a boot of half a minute should not spend its time on.
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer man-db.timer "
    "dpkg-db-backup.timer logrotate.timer getty@tty1.service systemd-tmpfiles-clean.timer "
    "systemd-networkd-wait-online.service systemd-timesyncd.service systemd-pcrphase.service "
    "systemd-pcrphase-sysinit.service systemd-binfmt.service kmod-static-nodes.service").split()


class Image:
    """A release's root file system, kernel and initial ramdisk, below a directory of caches."""

    def __init__(self, release, cache):
        self.release = release
        with open(os.path.join(HERE, "guest"), "rb") as file:
            guest = file.read()
        with open(__file__, "rb") as file:
            recipe = file.read()
        digest = hashlib.sha256(guest + recipe + MIRROR.encode()).hexdigest()[:16]
        self.directory = os.path.join(cache, f"{release}-{digest}")
        self.disk = os.path.join(self.directory, "root.ext4")
        self.kernel = os.path.join(self.directory, "vmlinuz")
        self.ramdisk = os.path.join(self.directory, "initrd")

    def prepare(self):
        """Makes the image unless it is there. Needs root, as mmdebstrap and the owners of files do."""
        if os.path.exists(self.directory):
            return
        print(f"making the image of Debian '{self.release}' …", flush=True)
        cache = os.path.dirname(self.directory)
        os.makedirs(cache, exist_ok=True)
        for old in os.listdir(cache):
            if old.startswith(f"{self.release}-"):
                shutil.rmtree(os.path.join(cache, old))
        with tempfile.TemporaryDirectory(prefix="making-", dir=cache) as work:
            root = os.path.join(work, "root")
            log = os.path.join(work, "log")
            done = os.path.join(work, "done")
            os.mkdir(done)
            try:
                with open(log, "wb") as output:
                    self._bootstrap(root, output)
                    self._finish(root, done, output)
            except (subprocess.CalledProcessError, OSError):
                with open(log, errors="replace") as file:
                    sys.stderr.write(file.read()[-8000:])
                raise
            os.rename(done, self.directory)

    def _bootstrap(self, root, output):
        subprocess.run(
            # What it mounts goes with it, whoever looks into the tree meanwhile.
            ["unshare", "--mount", "--propagation", "private",
             "mmdebstrap", "--variant=minbase", "--components=main", f"--include={','.join(PACKAGES)}",
             # The little that finds a disk: the ramdisk of every module takes longer to unpack than the rest to boot.
             "--essential-hook=mkdir -p \"$1/etc/initramfs-tools/conf.d\"",
             "--essential-hook=printf 'MODULES=list\\nCOMPRESS=zstd\\nFSTYPE=ext4\\n' > \"$1/etc/initramfs-tools/conf.d/small\"",
             "--essential-hook=printf 'virtio_pci\\nvirtio_blk\\next4\\n' > \"$1/etc/initramfs-tools/modules\"",
             # Manual pages and completions of the package under test are to be seen.
             "--dpkgopt=path-include=/usr/share/man/*", "--skip=cleanup/apt",
             self.release, root, MIRROR],
            stdout=output, stderr=output, check=True)

    def _finish(self, root, done, output):
        def write(path, text, mode=0o644):
            path = os.path.join(root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, mode)

        def inside(*command):
            subprocess.run(["chroot", root, *command], stdout=output, stderr=output, check=True)

        write("etc/fstab", "/dev/vda / ext4 defaults 0 1\n")
        write("etc/hostname", "guest\n")
        write("etc/hosts", "127.0.0.1 localhost guest\n::1 localhost\n")
        write("etc/systemd/journald.conf.d/vm.conf", "[Journal]\nStorage=volatile\nRateLimitBurst=0\n")
        # A person with a user manager that runs without a login, and the user that a service runs as.
        inside("useradd", "--create-home", "--shell", "/bin/bash", "alice")
        write("var/lib/systemd/linger/alice", "")
        with open(os.path.join(HERE, "guest")) as file:
            write("usr/local/sbin/guest", file.read(), 0o755)
        write("etc/systemd/system/guest.service", (
            "[Unit]\nDescription=What the host asks for\nAfter=multi-user.target\n"
            "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/guest\nTimeoutStartSec=infinity\n"
            "StandardInput=null\nDelegate=yes\n[Install]\nWantedBy=multi-user.target\n"))
        links = os.path.join(root, "etc/systemd/system")
        for unit in MASKED:
            path = os.path.join(links, unit)
            if not os.path.lexists(path):
                os.symlink("/dev/null", path)
        wanted = os.path.join(links, "multi-user.target.wants")
        os.makedirs(wanted, exist_ok=True)
        os.symlink("/etc/systemd/system/guest.service", os.path.join(wanted, "guest.service"))
        for name, target in (("vmlinuz", self.kernel), ("initrd", self.ramdisk)):
            source = [entry for entry in sorted(os.listdir(os.path.join(root, "boot"))) if entry.startswith(name)][-1]
            shutil.move(os.path.join(root, "boot", source), os.path.join(done, os.path.basename(target)))
        shutil.rmtree(os.path.join(root, "var/cache/apt"), ignore_errors=True)
        shutil.rmtree(os.path.join(root, "var/lib/apt/lists"), ignore_errors=True)
        make_disk(root, os.path.join(done, "root.ext4"), "2500M", output)


def make_disk(tree, path, size, output=subprocess.DEVNULL):
    """An ext4 image of a directory, without mounting anything."""
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", tree, path, size],
                   stdout=output, stderr=output, check=True)

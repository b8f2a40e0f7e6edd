"""Debian's kernels, by their meta packages, through an apt configuration that leaves the system's untouched."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from stage import CannotGoOn

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
RELEASES = {"bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"}
PARTS = re.compile(r"\b(linux-(?:image|binary)-[a-z0-9.+-]+) \(= ([^)]+)\)")  # the others are not needed to boot
LISTS_ARE_FRESH_FOR = 12 * 3600


def mirrors():
    """The archive and its security suites, as the system's own sources name them."""
    command = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout.split("\n")
    found = {}
    for release, uri in (line.split() for line in listed if line.count(" ") == 1):
        name = release.removesuffix("-security").removesuffix("/updates")
        if name in RELEASES:
            found.setdefault("main" if name == release else "security", uri)
    if "main" not in found:
        raise CannotGoOn("this system's apt sources name no Debian mirror")
    return found


class Archive:
    """One release and its security suite: a set of apt's directories inside the cache."""

    def __init__(self, cache, release, log):
        self.directory = cache / "apt" / release
        self.log = log
        for part in ("lists/partial", "archives/partial"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        (self.directory / "status").touch()
        known = mirrors()
        signed = f"deb [arch=amd64 signed-by={KEYRING}]"
        lines = [f"{signed} {known['main']} {release} main"]
        if "security" in known and release not in ("unstable", "sid"):
            lines.append(f"{signed} {known['security']} {release}-security main")
        sources = self.directory / "sources.list"
        if not sources.exists() or sources.read_text().split("\n")[:-1] != lines:
            sources.write_text("\n".join(lines) + "\n")
            self.updated().unlink(missing_ok=True)

    def updated(self):
        return self.directory / "updated"

    def run(self, program, *arguments, cwd=None):
        own = {
            "APT::Architecture": "amd64", "APT::Architectures": "amd64", "Acquire::Languages": "none",
            "Acquire::Retries": "2", "Acquire::http::Timeout": "30", "Acquire::https::Timeout": "30",
            "Dir::State": self.directory, "Dir::State::lists": self.directory / "lists",
            "Dir::State::status": self.directory / "status", "Dir::Cache": self.directory,
            "Dir::Etc::sourcelist": self.directory / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
        }
        options = [word for name, value in own.items() for word in ("-o", f"{name}={value}")]
        done = subprocess.run([program, "-q", *options, *arguments], cwd=cwd, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        with self.log.open("a") as log:
            print("$", program, *arguments, f"  ({self.directory.name})", file=log)
            print(done.stdout if program == "apt-get" else "", done.stderr, sep="", file=log)
        return done

    def update(self):
        """Old lists may do when the mirror is down: what is in the cache decides."""
        stamp = self.updated()
        if stamp.exists() and time.time() - stamp.stat().st_mtime < LISTS_ARE_FRESH_FOR:
            return
        if self.run("apt-get", "update", "--error-on=any").returncode == 0:
            stamp.touch()

    def newest(self, package, version=None):
        """The version and the parts of a package; (None, []) when it is not known."""
        name = f"{package}={version}" if version else package
        shown = self.run("apt-cache", "show", "--no-all-versions", name).stdout
        found = re.search(r"^Version: (\S+)$", shown, re.M)
        depends = re.search(r"^Depends: (.*)$", shown, re.M)
        return (found[1] if found else None), PARTS.findall(depends[1]) if depends else []

    def download(self, package, version, directory):
        done = self.run("apt-get", "download", f"{package}={version}", cwd=directory)
        files = list(directory.glob(f"{package}_*.deb"))
        if done.returncode or len(files) != 1:
            raise CannotGoOn(f"{package} {version} could not be downloaded and verified (see {self.log})")
        return files[0]


@contextlib.contextmanager
def alone_in(cache):
    """One lab at a time fills the cache."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("w")
    except OSError as reason:
        raise CannotGoOn(f"the cache cannot be used: {reason}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kernel_image(cache, release, meta_package, log):
    """The version of the newest kernel of a meta package, and its image: from the cache, else from the archive."""
    with alone_in(cache):
        archive = Archive(cache, release, log)
        archive.update()
        version, parts = archive.newest(meta_package)
        if version is None:
            raise CannotGoOn(f"{meta_package} of {release} is not to be had from the Debian mirror (see {log})")
        kept = cache / "kernels" / f"{release}_{meta_package}_{version}"
        if not (kept / "vmlinuz").exists():
            fetch(archive, parts, kept)
        return version, kept / "vmlinuz"


def fetch(archive, parts, kept):
    """Follows the parts down to the one that has the image."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="unpacking.") as name:
        os.chmod(name, 0o755)
        directory = pathlib.Path(name)
        unpacked = directory / "unpacked"
        while parts:
            (package, version), *parts = parts
            file = archive.download(package, version, directory)
            subprocess.run(["dpkg", "-x", str(file), str(unpacked)], check=True)
            images = [*unpacked.glob("boot/vmlinuz-*"), *unpacked.glob("usr/lib/modules/*/vmlinuz")]
            if images:
                made = directory / "made"
                made.mkdir()
                shutil.copyfile(images[0].resolve(), made / "vmlinuz")
                made.rename(kept)
                return
            parts = [*archive.newest(package, version)[1], *parts]
    raise CannotGoOn(f"none of the packages of {kept.name} has a kernel image")

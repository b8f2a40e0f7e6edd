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
RELEASES = {"bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing",
            "unstable"}
PARTS = re.compile(r"\b(linux-(?:image|binary)-[a-z0-9.+-]+) \(= ([^)]+)\)")  # the others are not needed to boot
LISTS_ARE_FRESH_FOR = 12 * 3600
NO_ANSWER = re.compile(r"Could not connect|Unable to connect|Connection (?:failed|timed out)|resolv(?:e|ing)", re.I)
UNPACKING = "unpacking."


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


class Mirror:
    """Whether it answered so far in this run: one that does not is not asked again."""

    def __init__(self):
        self.unreachable = False


class Archive:
    """One release and its security suite: a set of apt's directories inside the cache."""

    def __init__(self, cache, release, mirror, log):
        self.directory = cache / "apt" / release
        self.mirror = mirror
        self.log = log
        for part in ("lists/partial", "archives/partial"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        (self.directory / "status").touch()
        self.updated = self.directory / "updated"
        known = mirrors()
        signed = f"deb [arch=amd64 signed-by={KEYRING}]"
        lines = [f"{signed} {known['main']} {release} main"]
        if "security" in known and release not in ("unstable", "sid"):
            lines.append(f"{signed} {known['security']} {release}-security main")
        sources = self.directory / "sources.list"
        if not sources.exists() or sources.read_text().split("\n")[:-1] != lines:
            sources.write_text("\n".join(lines) + "\n")
            self.updated.unlink(missing_ok=True)

    def run(self, program, *arguments, cwd=None):
        """What it said on stdout; None when it failed."""
        own = {
            "APT::Architecture": "amd64", "APT::Architectures": "amd64", "Acquire::Languages": "none",
            "Acquire::Retries": "1", "Acquire::http::Timeout": "15", "Acquire::https::Timeout": "15",
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
        if done.returncode and NO_ANSWER.search(done.stderr):
            self.mirror.unreachable = True
        return None if done.returncode else done.stdout

    def is_fresh(self):
        return self.updated.exists() and time.time() - self.updated.stat().st_mtime < LISTS_ARE_FRESH_FOR

    def update(self):
        if not self.mirror.unreachable and self.run("apt-get", "update", "--error-on=any") is not None:
            self.updated.touch()

    def newest(self, package, version=None):
        """The version and the parts of a package; (None, []) when it is not known."""
        shown = self.run("apt-cache", "show", "--no-all-versions", f"{package}={version}" if version else package) or ""
        found = re.search(r"^Version: (\S+)$", shown, re.M)
        depends = re.search(r"^Depends: (.*)$", shown, re.M)
        return (found[1] if found else None), PARTS.findall(depends[1]) if depends else []

    def download(self, package, version, directory):
        done = self.run("apt-get", "download", f"{package}={version}", cwd=directory)
        files = list(directory.glob(f"{package}_*.deb"))
        if done is None or len(files) != 1:
            raise CannotGoOn(self.why_not(f"{package} {version} could not be downloaded and verified"))
        return files[0]

    def why_not(self, otherwise):
        if self.mirror.unreachable:
            return "Debian's package mirror could not be reached"
        return f"{otherwise} (see {self.log})"


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


class Image:
    """A kernel that can be booted."""

    def __init__(self, directory, note=""):
        self.version = directory.name.rpartition("_")[2]
        self.file = directory / "vmlinuz"
        self.note = note  # why it may not be the newest


def kernel_image(cache, release, meta_package, mirror, log):
    """The newest kernel of a meta package; the newest in the cache when the mirror does not have it for us."""
    with alone_in(cache):
        archive = Archive(cache, release, mirror, log)
        kept = cache / "kernels"
        kept.mkdir(exist_ok=True)
        prefix = f"{release}_{meta_package}_"
        try:
            image = Image(current(archive, kept, prefix, meta_package))
        except CannotGoOn as reason:
            in_cache = by_age(kept, prefix)
            if not in_cache:
                raise
            image = Image(in_cache[-1])
            image.note = f"{reason}, so the newest kernel of the cache was booted"
        prune(kept, prefix, image)
        return image


def current(archive, kept, prefix, meta_package):
    """The directory of the newest image, which is fetched unless it is there."""
    if not archive.is_fresh():
        archive.update()
    version, parts = archive.newest(meta_package)
    if not (version and (kept / f"{prefix}{version}").exists()):
        archive.update()  # what is named in lists of this morning may be gone
        version, parts = archive.newest(meta_package)
        if version is None:
            raise CannotGoOn(archive.why_not(f"the mirror has no {meta_package} of {prefix.split('_')[0]}"))
        if not (kept / f"{prefix}{version}").exists():
            fetch(archive, parts, kept / f"{prefix}{version}")
    if not archive.is_fresh():
        raise CannotGoOn(archive.why_not("the lists of packages could not be brought up to date"))
    return kept / f"{prefix}{version}"


def by_age(kept, prefix):
    return sorted(kept.glob(f"{prefix}[0-9]*"), key=lambda directory: directory.stat().st_mtime)


def prune(kept, prefix, image):
    """Keeps the one in use and the one before it. What a run that was killed was unpacking goes, too."""
    others = [directory for directory in by_age(kept, prefix) if directory != image.file.parent]
    for directory in [*others[:-1], *kept.glob(f"{UNPACKING}*")]:
        shutil.rmtree(directory, ignore_errors=True)


def fetch(archive, parts, to):
    """Follows the parts down to the one that has the image."""
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=UNPACKING) as name:
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
                made.rename(to)
                return
            parts = [*archive.newest(package, version)[1], *parts]
    raise CannotGoOn(f"none of the packages of {to.name} has a kernel image")

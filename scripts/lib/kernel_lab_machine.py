"""A lab machine: an initramfs of our binaries and what they need, and QEMU, which boots a kernel with it."""

import contextlib
import io
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import time

from stage import CannotGoOn, ROOT

MEGABYTES = 1024
BOOT_DEADLINE = 40  # seconds; two or three are usual
SCRIPTS = ROOT / "tests" / "kernels"
TOOLS = ("setpriv", "setcap", "bpftool")  # busybox has the rest; the tests say which of these they miss


def find_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin")


# --- the initramfs ---


def libraries_of(program):
    """What ldd says; nothing when the program is static."""
    return subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout


class Initramfs:
    """An uncompressed cpio archive in the "newc" format, which is all that the kernel asks for."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.names = set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        if name in self.names:
            return
        self.names.add(name)
        encoded = name.encode() + b"\0"
        fields = (len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        self.bytes.write(b"070701" + b"".join(b"%08X" % field for field in fields))
        for part in (encoded, data):
            self.bytes.write(part)
            self.bytes.write(b"\0" * (-self.bytes.tell() % 4))

    def directory(self, name):
        for parent in reversed(pathlib.PurePosixPath(name).parents[:-1]):
            self.entry(str(parent), stat.S_IFDIR | 0o755)
        self.entry(name, stat.S_IFDIR | 0o755)

    def text(self, name, text, mode=0o644):
        self.directory(str(pathlib.PurePosixPath(name).parent))
        self.entry(name, stat.S_IFREG | mode, text.encode())

    def file(self, source, name):
        self.directory(str(pathlib.PurePosixPath(name).parent))
        self.entry(name, stat.S_IFREG | 0o755, pathlib.Path(source).read_bytes())

    def program(self, source, name):
        """A program, with the libraries and the loader that ldd names at the places where it names them."""
        self.file(source, name)
        named = libraries_of(source)
        if missing := re.findall(r"^\s*(\S+) => not found", named, re.M):
            raise CannotGoOn(f"{source} needs libraries that are not there: {', '.join(missing)}")
        for library in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", named, re.M):
            self.file(library, library.lstrip("/"))

    def finished(self):
        self.entry("TRAILER!!!", 0)
        return self.bytes.getvalue()


def settings(binaries, **more):
    """What tests/kernels/steps wants to know, for a build that lies there."""
    return {"WAITCLOSE_BIN": f"{binaries}/waitclose", "WAITCLOSE_CULPRITS": f"{binaries}/tests/culprits",
            "LAB_RUNTIME": f"{binaries}/tests/runtime/waitclose_runtime",
            "LAB_VERIFIER": f"{binaries}/tests/kernels/waitclose_verifier", **more}


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def make_initramfs(build, added):
    """All that the machines have in common; with_settings adds the rest."""
    image = Initramfs()
    image.directory("dev")
    image.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    busybox = find_program("busybox")
    if "=>" in libraries_of(busybox):
        raise CannotGoOn(f"{busybox} is not a static program; the one of package busybox-static is")
    image.file(busybox, "bin/busybox")
    image.file(SCRIPTS / "init", "init")
    image.file(SCRIPTS / "steps", "lab/steps")
    image.text("etc/hostname", "lab\n")
    image.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    image.text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
    for tool in filter(None, map(find_program, TOOLS)):
        image.program(tool, f"usr/bin/{pathlib.Path(tool).name}")
    ours = ["waitclose", "tests/runtime/waitclose_runtime", "tests/kernels/waitclose_verifier"]
    ours += [str(file.relative_to(build)) for file in sorted((build / "tests/culprits").iterdir())
             if file.is_file() and os.access(file, os.X_OK)]
    for name in ours:
        if (build / name).exists():
            image.program(build / name, f"lab/build/{name}")
        elif "verifier" not in name:
            raise CannotGoOn(f"there is no {build / name}; build first")
    for file in added:
        image.program(file, f"lab/{file.name}")
    return image.finished()


def with_settings(initramfs, **more):
    """The kernel unpacks one archive after the other."""
    image = Initramfs()
    lines = [f"export {name}={quoted(value)}\n" for name, value in settings("/lab/build", **more).items()]
    image.text("lab/settings", "".join(lines))
    return initramfs + image.finished()


# --- the machine ---


class Run:
    """What a run of tests/kernels/steps left, in a machine or natively."""

    def __init__(self, seconds, ended, results, console):
        self.seconds = seconds
        self.ended = ended  # None when it came to its end, else a sentence
        self.results = results  # by file name
        self.console = console


def received(sent):
    """The machine sends all it has after each step, one tar file after the other; the last may be cut short."""
    results = {}
    with contextlib.suppress(tarfile.TarError, OSError), tarfile.open(sent, ignore_zeros=True) as archive:
        for member in filter(tarfile.TarInfo.isfile, archive):
            name = pathlib.PurePosixPath(member.name).name
            results[name] = archive.extractfile(member).read().decode(errors="replace")
    return results


def boot(kernel, initramfs, logs, deadline):
    """Boots, waits for the machine to switch itself off, and reads what it sent. Past the deadline it is killed."""
    console, sent, image = logs / "console.log", logs / "results.tar", logs / "initramfs"
    image.write_bytes(initramfs)
    began = time.monotonic()
    ended = run_machine(kernel, image, logs, deadline, "quiet")
    if ended and not is_up(console):
        console.rename(logs / "console.first.log")
        first, ended = ended, run_machine(kernel, image, logs, deadline, "earlyprintk=ttyS0 ignore_loglevel")
        ended = f"{ended}, and at the first attempt: {first}" if ended else None
    seconds = time.monotonic() - began
    image.unlink()
    results = received(sent)
    for name, text in results.items():
        (logs / name).write_text(text)
    text = console.read_text(errors="replace") if console.exists() else ""
    if not results and ended is None:
        said = [line for line in text.splitlines() if line.strip()]
        ended = f"it went down without results; it said last: {said[-1] if said else 'nothing'}"
    return Run(seconds, ended, results, text)


def is_up(console):
    return console.exists() and "lab: up" in console.read_text(errors="replace")


def run_machine(kernel, initramfs, logs, deadline, words):
    """None when the machine switched itself off, else a sentence. One that hangs before user space is soon given up."""
    console = logs / "console.log"
    command = [
        find_program("setpriv"), "--pdeathsig", "KILL",  # no machine outlives the lab
        find_program("qemu-system-x86_64"), "-accel", "tcg", "-smp", "1", "-cpu", "max", "-m", str(MEGABYTES),
        "-display", "none", "-monitor", "none", "-no-reboot", "-nic", "none", "-serial", f"file:{console}",
        "-serial", f"file:{logs / 'results.tar'}", "-kernel", str(kernel), "-initrd", str(initramfs),
        "-append", f"console=ttyS0 panic=-1 rdinit=/init {words}",
    ]
    with (logs / "qemu.log").open("a") as log:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                machine.wait(min(BOOT_DEADLINE, deadline))
            if machine.poll() is None and not is_up(console):
                return f"it was not up after {min(BOOT_DEADLINE, deadline):.0f} s"
            machine.wait(max(deadline - BOOT_DEADLINE, 0.1))
        except subprocess.TimeoutExpired:
            return f"it was not done after {deadline:.0f} s"
        finally:
            if machine.poll() is None:
                machine.kill()
                machine.wait()
        return f"qemu ended with code {machine.returncode} (see {logs / 'qemu.log'})" if machine.returncode else None


def run_natively(build, logs, deadline, **more):
    began = time.monotonic()
    console = logs / "console.log"
    environment = os.environ | settings(str(build), **more) | {"RESULTS": str(logs)}
    ended = None
    with console.open("w") as output:
        steps = subprocess.Popen(["sh", str(SCRIPTS / "steps")], env=environment, stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            steps.wait(deadline)
        except subprocess.TimeoutExpired:
            ended = f"it was not done after {deadline:.0f} s"
        finally:
            if steps.poll() is None:
                os.killpg(steps.pid, 9)  # a session of our own making
                steps.wait()
    results = {file.name: file.read_text(errors="replace") for file in logs.iterdir()
               if file.suffix in (".json", ".code", ".err") or file.name == "release"}
    return Run(time.monotonic() - began, ended, results, console.read_text(errors="replace"))

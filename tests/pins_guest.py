"""A machine of QEMU's with GPIO chips and a battery that the kernel simulates: two drivers that Debian leaves out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from epsilon.config.folders import root
from tests import initrd_guest
from tests.initrd_guest import BUSYBOX, CACHE, run
from tests.powercut.memory_guest import DIRECTORY, FILE, LINK, PYTHON, STANDARD
from tools.image import wheels
from tools.image.initrd import Entry, pack, unpacked
from tools.image.steps import Steps

DRIVERS = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
BATTERY = "drivers/power/supply/test_power.c"
# irq_sim is no module: it is built into gpio-sim, and may not call what the kernel exports to nobody.
OWN_CALL, EXPORTED = "handle_simple_irq(irq_to_desc(irqnum))", "generic_handle_irq(irqnum)"
KBUILD = "obj-m := toy-gpio.o test_power.o\ntoy-gpio-y := gpio-sim.o irq_sim.o\n"
PACKAGES = ("lgpio", "gpiozero", "colorzero", "numpy", "pyyaml")  # of those that an image has
LEFT_OUT = re.compile(
    r"(^|/)(tests?|idlelib|lib2to3|ensurepip|pydoc_data|config-3\.11[^/]*|__pycache__|dist-packages)/"
)
COMPILING = ("make", "gcc-12", "xz")  # Debian's kernel wants the compiler it was made by
LONGEST_S = 900  # a guard only: a quiet machine needs a minute
INIT = """#!/bin/busybox sh
export PATH=/bin:/usr/bin PYTHONPATH=/opt:/opt/site PYTHONDONTWRITEBYTECODE=1 LG_WD=/tmp OMP_NUM_THREADS=1
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
while read name; do busybox insmod "/modules/$name"; done < /modules/order
busybox mount -t configfs configfs /sys/kernel/config
python3.11 -m tests.pins_inside && echo "ALL FOUND"
busybox poweroff -f
"""


def missing() -> list[str]:
    """What of it is not on this machine."""
    tools = [tool for tool in COMPILING if not shutil.which(tool)]
    return [*initrd_guest.missing(), *tools, *(str(path) for path in (PYTHON, STANDARD) if not path.exists())]


def findings(folder: Path) -> dict[str, dict[str, Any]]:
    """What the toy's hardware found in there, by part."""
    initrd = folder / "initrd"
    initrd.write_bytes(pack(_entries(drivers())))
    kernel = next((initrd_guest.kernel() / "boot").glob("vmlinuz-*"))
    command = ["nice", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "1024"]
    command += ["-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio", "-nic", "none"]
    command += ["-kernel", str(kernel), "-initrd", str(initrd), "-append", "console=ttyS0 quiet panic=-1"]
    ended = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=LONGEST_S, check=True
    )
    assert "ALL FOUND" in ended.stdout, ended.stdout[-4000:]
    return dict(json.loads(line) for line in re.findall(r"FOUND (\[.*\])", ended.stdout))


def drivers() -> list[Path]:
    """gpio-sim and test_power for the guest's kernel, built once from Debian's source."""
    built = CACHE / "drivers"
    names = [built / "toy-gpio.ko", built / "test_power.ko"]
    if not all(path.is_file() for path in names):
        built.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            for module in _build(Path(scratch)):
                (built / module.name).write_bytes(module.read_bytes())
    return names


def _build(scratch: Path) -> list[Path]:
    release = initrd_guest.version(initrd_guest.kernel())
    series = ".".join(release.split(".")[:2])
    common = f"linux-headers-{release.removesuffix('-amd64')}-common"
    packages = (f"linux-headers-{release}", common, f"linux-kbuild-{series}", f"linux-source-{series}")
    run("apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *packages, cwd=scratch)
    for package in packages:
        run("dpkg-deb", "-x", str(next(scratch.glob(f"{package}_*.deb"))), str(scratch / "tree"))
    headers = scratch / "tree/usr/src"
    makefile = headers / f"linux-headers-{release}/Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src", str(headers)))
    source = scratch / "source"
    source.mkdir()
    files = [f"linux-source-{series}/{name}" for name in (*DRIVERS, BATTERY)]
    archive = headers / f"linux-source-{series}.tar.xz"
    run("tar", "--occurrence=1", "-xJf", str(archive), "-C", str(source), "--transform", "s,.*/,,", *files)
    simulated = (source / "irq_sim.c").read_text().replace(OWN_CALL, EXPORTED)
    (source / "irq_sim.c").write_text(re.sub(r"^EXPORT_SYMBOL.*$", "", simulated, flags=re.MULTILINE))
    (source / "Kbuild").write_text(KBUILD)
    run("make", "-C", str(makefile.parent), f"M={source}", "modules")
    return [source / "toy-gpio.ko", source / "test_power.ko"]


def _entries(built: list[Path]) -> Iterator[Entry]:
    """Everything that is in the guest's memory when it starts."""
    tree = initrd_guest.kernel()
    modules = [next(tree.glob("lib/modules/*/kernel/fs/configfs/configfs.ko*")), *built]
    files = {"init": INIT.encode(), "bin/busybox": BUSYBOX.read_bytes()}
    files["modules/order"] = "".join(f"{path.name}\n" for path in modules).encode()
    files |= {f"modules/{path.name}": unpacked(path) for path in modules}
    files |= {
        f"opt/{path.relative_to(root())}": path.read_bytes() for path in (root() / "epsilon").rglob("*.py")
    }
    files |= {f"opt/tests/{name}": (root() / "tests" / name).read_bytes() for name in ("pins_inside.py",)}
    files |= {str(path.relative_to("/")): path.read_bytes() for path in _python()}
    with tempfile.TemporaryDirectory() as site:
        wheels.unpack(_wheels(), Path(site))
        found = [path for path in Path(site).rglob("*") if path.is_file()]
        files |= {f"opt/site/{path.relative_to(site)}": path.read_bytes() for path in found}
        needed = {path for path in _libraries(found) if not path.is_relative_to(site)}
        files |= {str(path.relative_to("/")): path.read_bytes() for path in needed}
    folders = {"dev", "proc", "sys", "tmp"}
    folders |= {str(above) for name in files for above in Path(name).parents if str(above) != "."}
    yield from (Entry(folder, DIRECTORY) for folder in sorted(folders))
    yield from (Entry(name, FILE, data) for name, data in files.items())
    yield Entry("bin/sh", LINK, b"busybox")


def _wheels() -> list[Path]:
    """Those that an image for this processor has, by the checksums of its lock."""
    locked = wheels.read_lock(wheels.lock_path("amd64").read_text("utf-8"))
    names = [name for name in locked if name.partition("==")[0] in PACKAGES]
    return wheels.fetch("amd64", names, root() / "build" / "image", Steps(1, CACHE / "wheels.log"))


def _python() -> set[Path]:
    """Python with its standard library, and the shared libraries of all of it."""
    found = {path for path in STANDARD.rglob("*") if path.is_file() and not LEFT_OUT.search(f"{path}/")}
    found = {path for path in found if not LEFT_OUT.search(str(path.relative_to(STANDARD)))}
    return found | _libraries([PYTHON, *found]) | {PYTHON}


def _libraries(files: Iterable[Path]) -> set[Path]:
    """The shared libraries of some programs and modules."""
    found: set[Path] = set()
    for file in files:
        if file == PYTHON or ".so" in file.name:
            found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", run("ldd", str(file)))}
    return found

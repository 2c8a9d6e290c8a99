"""Builds an image step by step; `Order` says what is wanted, `build` makes it and names the files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from epsilon import __version__, service
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.service import __main__ as units
from tools.image import apt, base, bill, disk, home, initrd, kernel, packing, root, vendor, wheels
from tools.image.base import Base, Package
from tools.image.steps import ImageError, Steps, fresh

STEPS = 10
BOOT_LOADER = "systemd-boot-efi"


@dataclass(frozen=True)
class Order:
    """What is to be built, of what, and where it goes."""

    board: Board
    character: Character
    out: Path
    cache: Path
    keys: Path
    sources: Path | None = None
    overlays: Sequence[Path] = ()
    bundle: bool = False
    effort: int = 15  # of zstd on the root

    @property
    def name(self) -> str:
        """Of the image and of every file beside it."""
        return f"epsilon-{self.board.name}-{self.character.name}-{__version__}"

    @property
    def architecture(self) -> str:
        """Of the board; an image is for one that says it."""
        if self.board.soc.architecture is None or self.board.image.kernel is None:
            hint = "`soc: {architecture: …}` and `image: {kernel: …}`; epsilon check --board shows both"
            raise ImageError(f"the board '{self.board.name}' has no image", self.board.place(), hint)
        return self.board.soc.architecture


@dataclass
class Made:
    """What came of it: the files, and what could not be done for lack of an input."""

    image: Path | None = None
    root_image: Path | None = None
    files: list[Path] = field(default_factory=list)
    wanting: list[str] = field(default_factory=list)


class Build:
    """The work on one image; every method is a step."""

    def __init__(self, order: Order) -> None:
        self.order, self.board, self.image = order, order.board, order.board.image
        self.architecture = order.architecture
        self.folder = order.out / "work" / f"{order.board.name}-{order.character.name}"
        self.steps = Steps(STEPS, order.out / f"{order.name}.log")
        self.root, self.boot = self.folder / "root", self.folder / "boot"
        self.site = self.root / home.SITE
        self.items: list[bill.Item] = []
        self.inputs, self.wanting = vendor.sort_out(self.board)
        self.listed = apt.sources(self.image.suite, chosen=order.sources)
        shelf = order.cache / "debian" / f"{self.image.suite}-{self.architecture}"
        self.shelf = apt.Shelf(shelf, self.architecture, self.listed, self.steps)

    def run(self) -> Made:
        """All of it."""
        fresh(self.boot)
        packages = self.take_debian()
        core = self.take_kernel()
        self.take_wheels()
        self.put_toy()
        self.tell_persona()
        self.settle(core, packages)
        made = Made(wanting=self.wanting, root_image=self.pack_root())
        made.files += self.write_bills()
        if core is None:
            return made
        made.image = self.make_disk(core, made)
        made.files += self.pack(made.image)
        return made

    def take_debian(self) -> list[Package]:
        """The base, unpacked."""
        with self.steps.step(f"Debian {self.image.suite} for {self.architecture}") as remarks:
            wanted = Base(self.architecture, self.image.suite, self.image.packages)
            tar = base.base_tar(wanted, self.order.cache, self.listed, self.steps)
            packages = base.installed_in(tar)
            root.unpack(tar, self.root, self.steps)
            changed = self._moved(packages)
            remarks.append(
                f"{len(packages)} packages" + (f", {len(changed)} other than locked" if changed else "")
            )
        return packages

    def _moved(self, packages: list[Package]) -> list[str]:
        """Which versions are not the locked ones; said in the log, for Debian's archive goes on."""
        lock = base.lock_path(self.architecture)
        changed = (
            base.moved(packages, lock.read_text("utf-8"))
            if lock.is_file() and not self.image.packages
            else []
        )
        with self.steps.log.open("a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in changed)
        return changed

    def take_kernel(self) -> kernel.Kernel | None:
        """Debian's kernel or the vendor's; None while that is wanting."""
        name = self.image.kernel
        assert name is not None  # `architecture` has looked
        with self.steps.step(f"kernel {name}") as remarks:
            if name in self.image.inputs:
                found = next((one for one in self.inputs if one.name == name), None)
                if found is None:
                    remarks.append("wanting")
                    return None
                package, version = found.path, (found.given.sha256 or "")[:12]
            else:
                package = self.shelf.fetch(name)
                version = kernel.version_of(package)
            core = kernel.unpack(package, self.order.cache / "kernels" / package.stem, self.steps)
            count = kernel.install(core, self.root, self.steps)
            licence = "GPL-2.0-only with the Linux syscall note"
            self.items.append(bill.Item("operating-system", "linux", version, licence, source=package.name))
            remarks.append(f"{core.release}, {count} modules")
        return core

    def take_wheels(self) -> None:
        """Python packages, by checksum."""
        with self.steps.step("Python packages") as remarks:
            names = wheels.wanted(self.board)
            found = wheels.fetch(self.architecture, names, self.order.cache, self.steps)
            wheels.unpack(found, self.site)
            lock = wheels.read_lock(wheels.lock_path(self.architecture).read_text("utf-8"))
            self.items += bill.python(self.site, lock)
            vendor.install(self.inputs, self.image.kernel, self.root, self.site, self.boot, self.steps)
            self.items += [
                bill.Item(
                    "firmware",
                    one.name,
                    (one.given.sha256 or "")[:12],
                    "its vendor's",
                    source=one.given.source,
                )
                for one in self.inputs
                if one.name != self.image.kernel
            ]
            remarks.append(f"{len(found)} wheels")

    def put_toy(self) -> None:
        """Epsilon with its board, character and models."""
        with self.steps.step(f"the toy: {self.order.character.name} on {self.board.name}") as remarks:
            used = home.install(self.root, self.board, self.order.character)
            self.items += [
                bill.Item("application", "epsilon-toy", __version__, "Apache-2.0"),
                *bill.models(used),
            ]
            remarks.append(", ".join(model.name for model in used))

    def tell_persona(self) -> None:
        """What the mind remembers of its character before it starts."""
        with self.steps.step("persona prefilled") as remarks:
            remarks.append(home.prefill(self.root, self.board, self.steps))

    def settle(self, core: kernel.Kernel | None, packages: list[Package]) -> None:
        """Units, facts, byte code."""
        with self.steps.step("service, facts, byte code"):
            self.items += bill.debian(packages, self.root, self.architecture)
            root.thin_out(self.root)
            units.write(self.root, service.render(self.board, self.order.character.name))
            root.settle(self.root, self.steps)
            root.facts(self.root, self._facts(core))
            packing.prepare_updates(self.root, self.board, self.order.character, self.order.keys)
            for overlay in self.order.overlays:
                root.overlay(self.root, overlay)
            text = bill.licences(self.order.name, self.items)
            root.write(self.root, "usr/share/doc/epsilon/licences.txt", text)
            home.compile_all(self.root, self.steps)

    def _facts(self, core: kernel.Kernel | None) -> dict[str, str]:
        return {
            "board": self.board.name,
            "character": self.order.character.name,
            "version": __version__,
            "kernel": core.release if core else "",
            "architecture": self.architecture,
        }

    def pack_root(self) -> Path:
        """The root as one file."""
        out = self.folder / "root.img"
        with self.steps.step(f"root as {self.image.compression}") as remarks:
            disk.root_image(self.root, out, self.image, self.order.effort, self.steps)
            remarks.append(f"{out.stat().st_size / 1e6:.1f} MB")
        return out

    def write_bills(self) -> list[Path]:
        """Bill of materials and licences, beside the image."""
        with self.steps.step("bill of materials, licences") as remarks:
            paths = [self.order.out / f"{self.order.name}.{end}" for end in ("sbom.json", "licences.txt")]
            texts = (
                bill.cyclonedx(self.order.name, __version__, self.items),
                bill.licences(self.order.name, self.items),
            )
            for path, text in zip(paths, texts, strict=True):
                packing.write_whole(path, text.encode())
            remarks.append(f"{len(self.items)} components")
        return paths

    def make_disk(self, core: kernel.Kernel, made: Made) -> Path:
        """Boot partition, slot record, both roots, data."""
        assert made.root_image is not None
        missing = ".incomplete" if self.wanting else ""
        out = self.order.out / f"{self.order.name}{missing}.img"
        with self.steps.step("disk") as remarks:
            parts = self._parts(core, made.root_image)
            beside = self.folder / "disk.img"
            disk.assemble(beside, parts, vendor.raw(self.inputs), self.order.name, self.steps)
            beside.replace(out)
            remarks.append(f"{out.stat().st_size / 1e6:.0f} MB")
        return out

    def _parts(self, core: kernel.Kernel, root_image: Path) -> list[disk.Part]:
        start, slots, data = (self.folder / name for name in ("initrd.gz", "slots.img", "data.img"))
        initrd.build(start, self.root / "usr/bin/busybox", kernel.early_modules(core))
        loader = self.folder / "loader"
        self.steps.run(["dpkg-deb", "-x", self.shelf.fetch(BOOT_LOADER), fresh(loader)])
        disk.boot_files(self.boot, core, start, loader, self.architecture, self.image)
        esp = self.folder / "boot.img"
        disk.boot_partition(self.boot, esp, self.image.boot_mb, self.order.name, self.steps)
        slots.write_bytes(packing.slot_record(root_image))
        disk.data_partition(data, self.image.data_mb, self.order.name, self.steps)
        kind, size = disk.ROOTS[self.architecture], self.image.root_mb
        return [
            disk.Part("boot", disk.ESP, esp),
            disk.Part("slots", disk.LINUX, slots),
            disk.Part("root_a", kind, root_image, size),
            disk.Part("root_b", kind, root_image, size),
            disk.Part("data", disk.LINUX, data),
        ]

    def pack(self, image: Path) -> list[Path]:
        """Compressed, with its map of used blocks and all checksums."""
        with self.steps.step("compressed, bmap, checksums") as remarks:
            files = packing.compress(image, self.steps)
            remarks.append(f"{files[0].stat().st_size / 1e6:.1f} MB compressed")
        shutil.rmtree(self.folder / "boot")
        return files


def build(order: Order) -> Made:
    """The image and what belongs beside it; what an input is wanting for is said in `wanting`."""
    work = Build(order)
    made = work.run()
    if order.bundle and made.root_image is not None and not made.wanting:
        made.files.append(order.out / f"{order.name}.raucb")
        packing.pack_bundle(made.root_image, work.root, order.keys, made.files[-1])
    sums = order.out / f"{order.name}.SHA256SUMS"
    lines = [f"{wheels.sha256(path)}  {path.name}\n" for path in made.files]
    packing.write_whole(sums, "".join(lines).encode())
    made.files.append(sums)
    return made

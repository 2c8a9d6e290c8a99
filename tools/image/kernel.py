"""The kernel of an image and those of its modules that a toy can need: none that reaches a network."""

from __future__ import annotations

import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tools.image.steps import ImageError, Steps, fresh, output

# Folders of modules that are kept; what else they need comes along.
KEPT = (
    *("sound", "crypto", "lib", "arch", "fs/ext4", "fs/fat", "fs/exfat", "fs/nls", "fs/squashfs", "fs/erofs"),
    *("fs/overlayfs", "fs/fuse", "fs/configfs", "fs/autofs"),
    *(
        f"drivers/{name}"
        for name in (
            "ata base block bus char/hw_random clk cpufreq devfreq dma extcon firmware gpio hid hwmon i2c iio/adc "
            "input interconnect leds mailbox md mfd mmc nvme nvmem phy pinctrl power pwm regulator reset rtc soc spi "
            "thermal usb/host usb/core usb/common usb/dwc2 usb/dwc3 usb/storage usb/typec uio virtio watchdog rknpu"
        ).split()
    ),
)
ALONE = (
    "scsi_mod",
    "sd_mod",
    "virtio_scsi",
    "virtio_console",
    "libata",
)  # modules of folders that are else left out
NETWORK = re.compile(r"kernel/(net|drivers/(net|bluetooth|infiniband|isdn|nfc))/|/usb/gadget/")
# What finds and reads the disk, and the watchdogs: loaded before the root is there. Absent ones are built in.
EARLY = (
    *("virtio_pci", "virtio_mmio", "virtio_blk", "nvme", "ahci", "sd_mod", "xhci_pci", "xhci_plat_hcd"),
    *(
        "dwc3",
        "phy_rockchip_naneng_combphy",
        "usb_storage",
        "uas",
        "mmc_block",
        "sdhci_of_dwcmshc",
        "sdhci_pci",
    ),
    *(
        "dw_mmc_rockchip",
        "sdhci_brcmstb",
        "squashfs",
        "crc32c_generic",
        "erofs",
        "i6300esb",
        "dw_wdt",
        "bcm2835_wdt",
    ),
)


@dataclass(frozen=True)
class Kernel:
    """A kernel with its modules and device trees, in a folder."""

    folder: Path
    release: str
    image: Path

    @property
    def modules(self) -> Path:
        """Where its modules are."""
        return module_root(self.folder) / self.release

    def device_tree(self, name: str) -> Path:
        """The device tree of that name, 'rockchip/rk3588s-orangepi-5.dtb'."""
        found = sorted(path for path in self.folder.rglob(Path(name).name) if str(path).endswith(name))
        if not found:
            raise ImageError(f"the kernel {self.release} has no device tree '{name}'")
        return found[0]


def unpack(package: Path, folder: Path, steps: Steps) -> Kernel:
    """A kernel from a Debian package, or from a tar with boot/ and lib/modules/."""
    if not (folder / "unpacked").is_file():
        fresh(folder)
        if package.suffix == ".deb":
            steps.run(["dpkg-deb", "-x", package, folder])
        else:
            with tarfile.open(package) as archive:
                archive.extractall(folder, filter="data")
        steps.run(["depmod", "-b", *_depmod(folder, _release(folder))])
        (folder / "unpacked").touch()
    release = _release(folder)
    images = sorted(
        path for path in (folder / "boot").iterdir() if re.match(r"vmlinu[xz]|Image|kernel", path.name)
    )
    if not images:
        raise ImageError("there is no kernel in boot/", str(package))
    return Kernel(folder, release, images[0])


def module_root(folder: Path) -> Path:
    """lib/modules, wherever this package has it."""
    usr = folder / "usr/lib/modules"
    return usr if usr.is_dir() else folder / "lib/modules"


def _depmod(folder: Path, release: str) -> tuple[Path, str]:
    return module_root(folder).parent.parent, release


def _release(folder: Path) -> str:
    releases = sorted(path.name for path in module_root(folder).glob("*") if path.is_dir())
    if len(releases) != 1:
        raise ImageError(f"one kernel is wanted, there are {', '.join(releases) or 'none'}", str(folder))
    return releases[0]


def dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """What modules.dep says: each module's file and those it needs, all below lib/modules/RELEASE."""
    table = {}
    for line in text.splitlines():
        name, _, needs = line.partition(":")
        table[name] = tuple(needs.split())
    return table


def chosen(table: dict[str, tuple[str, ...]]) -> list[str]:
    """The files of the modules that an image keeps."""
    names = [name for name in table if _is_kept(name)]
    kept = {file for name in names if _is_local(name, table) for file in (name, *table[name])}
    return sorted(kept)


def _is_kept(file: str) -> bool:
    below = file.removeprefix("kernel/")
    return below.startswith(tuple(f"{folder}/" for folder in KEPT)) or module_name(file) in ALONE


def _is_local(file: str, table: dict[str, tuple[str, ...]]) -> bool:
    """Neither it nor what it needs has to do with a network."""
    return not any(NETWORK.search(one) for one in (file, *table[file]))


def module_name(file: str) -> str:
    """As programs call it: 'kernel/drivers/scsi/sd_mod.ko.xz' is sd_mod."""
    return file.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def early(table: dict[str, tuple[str, ...]]) -> list[str]:
    """The files that the initrd loads, in an order that works."""
    by_name = {module_name(file): file for file in table}
    order: dict[str, None] = {}
    for name in EARLY:
        if name in by_name:
            for file in (*reversed(table[by_name[name]]), by_name[name]):
                order[file] = None
    return list(order)


def install(kernel: Kernel, root: Path, steps: Steps) -> int:
    """Put the chosen modules into a root; returns how many."""
    files = chosen(dependencies((kernel.modules / "modules.dep").read_text("utf-8")))
    target = root / "usr/lib/modules" / kernel.release
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kernel.modules / file, target / file)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        if (kernel.modules / name).is_file():
            shutil.copy(kernel.modules / name, target / name)
    steps.run(["depmod", "-b", root, kernel.release])
    return len(files)


def early_modules(kernel: Kernel) -> list[Path]:
    """The initrd's modules, in the order in which they load."""
    return [
        kernel.modules / file
        for file in early(dependencies((kernel.modules / "modules.dep").read_text("utf-8")))
    ]


def version_of(package: Path) -> str:
    """A Debian package's version."""
    return output("dpkg-deb", "-f", package, "Version").strip()

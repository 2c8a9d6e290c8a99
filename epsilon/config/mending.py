"""What is left of a file without its broken entries, so that the rest can be checked in the same reading."""

from __future__ import annotations

from epsilon.config.document import Listing, Node, Table


def mended(table: Table, broken: set[str]) -> tuple[Table, set[str]]:
    """The table less what stands at the places `broken`, and the places of the tables that lost something.

    What is told of those tables afterwards may only follow from the loss.
    """
    lost: set[str] = set()
    return _mended(table, broken, lost), lost


def _mended(table: Table, broken: set[str], lost: set[str]) -> Table:
    items: dict[str, Node] = {}
    for key, node in table.items.items():
        if table.keys.get(key) in broken:
            continue  # a key that there is not: nothing is lost with it
        if isinstance(node, Table):
            items[key] = _mended(node, broken, lost)
        elif _is_broken(node, broken):
            lost |= {table.where, node.where}
        else:
            items[key] = node
    return Table(items, table.keys, table.where)


def _is_broken(node: Node, broken: set[str]) -> bool:
    inside = node.items if isinstance(node, Listing) else ()
    return node.where in broken or any(_is_broken(item, broken) for item in inside)

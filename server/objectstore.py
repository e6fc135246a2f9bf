"""The web's way to the object store: the one file of the web that reaches into ``signaling.net`` (see design,
section 6).
"""

from __future__ import annotations

from signaling.net.objectstore import FolderStore, open_store
from signaling.ports import ObjectInfo, ObjectMissingError, ObjectStore, ObjectStoreError

__all__ = [
    "FolderStore",
    "ObjectInfo",
    "ObjectMissingError",
    "ObjectStore",
    "ObjectStoreError",
    "open_store",
]

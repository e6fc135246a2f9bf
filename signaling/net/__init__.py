"""The doors of a node: the only files of signaling that touch sockets, asyncio, files and clocks."""

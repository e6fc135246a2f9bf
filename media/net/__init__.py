"""The only files of media that touch sockets, asyncio and clocks."""

"""The way from a classroom to the node, tried before a lesson (路径检查)."""

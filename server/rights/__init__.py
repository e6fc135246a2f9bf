"""The table of rights as people read it (权限表)."""

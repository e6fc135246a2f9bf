"""The audit log: every change, and every view or export of pupils' data, in a chain that cannot be rewritten unseen."""

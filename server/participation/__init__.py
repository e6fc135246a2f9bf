"""The ledger and what it says of each receipt."""

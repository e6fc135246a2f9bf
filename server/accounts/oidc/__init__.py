"""Sign-in with the bureau's own accounts (OIDC)."""

"""What is said to the bureau's sign-in service: where it is, a code for tokens, whether an ID token is to be believed.

OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636). Rule: nothing of a token is read before its signature,
issuer, audience, time and nonce are checked; the algorithms are ours to name.
"""

from __future__ import annotations

import time
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from server.config import WebSettings
from server.errors import InvalidError, UnavailableError

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures with a key pair: "none" and shared secrets are no proof of who signed."""
KEPT_SECONDS = 3600.0
AGAIN_SECONDS = 30.0
"""Keys that turn up unknown are fetched anew, but not as often as a stranger likes."""
LEEWAY_SECONDS = 60
PATIENCE_SECONDS = 8.0
MOST_BYTES = 200_000


class Provider:
    """One a process; what it learns of the service it keeps for an hour."""

    def __init__(self, settings: WebSettings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self._transport = transport
        self._known: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._known_at = self._keys_at = float("-inf")

    @property
    def configured(self) -> bool:
        return bool(self.settings.oidc_issuer)

    def _client(self, callback: str = "") -> Any:
        return AsyncOAuth2Client(
            self.settings.oidc_client_id,
            self.settings.oidc_client_secret or None,
            scope=self.settings.oidc_scopes,
            redirect_uri=callback,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.settings.oidc_client_secret else "none",
            transport=self._transport,
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )

    async def _get(self, address: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(
                transport=self._transport, timeout=PATIENCE_SECONDS, trust_env=False
            ) as client:
                answer = await client.get(address)
            found = answer.json() if answer.status_code == 200 and len(answer.content) <= MOST_BYTES else None
        except (httpx2.HTTPError, ValueError) as error:
            raise UnavailableError("oidc_away") from error
        if not isinstance(found, dict):
            raise UnavailableError("oidc_away")
        return found

    async def _configuration(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0; the issuer says its own name, or it is another's page."""
        if time.monotonic() - self._known_at > KEPT_SECONDS:
            found = await self._get(f"{self.settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != self.settings.oidc_issuer or any(not found.get(name) for name in needed):
                raise UnavailableError("oidc_away")
            self._known, self._known_at = found, time.monotonic()
        return self._known

    async def address(self, callback: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent."""
        known = await self._configuration()
        async with self._client(callback) as client:
            address, _ = client.create_authorization_url(
                known["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(address)

    async def claims(self, callback: str, code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """The code for an ID token, and what it says."""
        known = await self._configuration()
        try:
            async with self._client(callback) as client:
                token = await client.fetch_token(
                    known["token_endpoint"], code=code, code_verifier=verifier, grant_type="authorization_code"
                )
        except OAuthError as error:
            raise InvalidError("oidc_refused") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise UnavailableError("oidc_away") from error
        return await self._checked(str(token.get("id_token", "")), nonce)

    async def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        try:
            token = await self._decoded(id_token)
            registry = jwt.JWTClaimsRegistry(
                now=int(time.time()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.settings.oidc_issuer},
                aud={"essential": True, "value": self.settings.oidc_client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise InvalidError("oidc_refused") from error
        claims = dict(token.claims)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.settings.oidc_client_id:
            raise InvalidError("oidc_refused")
        return claims

    async def _decoded(self, id_token: str) -> jwt.Token:
        """The service may have changed its keys since we looked: then once more with new ones."""
        fresh = time.monotonic() - self._keys_at < AGAIN_SECONDS
        try:
            return jwt.decode(id_token, await self._key_set(), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            if fresh:
                raise
        self._keys_at = float("-inf")
        return jwt.decode(id_token, await self._key_set(), algorithms=list(ALGORITHMS))

    async def _key_set(self) -> KeySet:
        if self._keys is None or time.monotonic() - self._keys_at > KEPT_SECONDS:
            found = await self._get((await self._configuration())["jwks_uri"])
            self._keys, self._keys_at = KeySet.import_key_set(found), time.monotonic()  # type: ignore[arg-type]
        return self._keys

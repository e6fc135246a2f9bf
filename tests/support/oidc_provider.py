"""A small OpenID Connect provider as a process of its own: discovery, keys, authorization code with PKCE, ID tokens.

``python -m tests.support.oidc_provider PORT``. Who signs in next, and what is wrong with their token, is told by
``POST /control`` (JSON: claims, and a ``fault``); everything else is what the standard says.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sys
import time
from base64 import b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "tongtang", "the-client-secret"


def _plain(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _joined(*parts: dict[str, Any]) -> str:
    return ".".join(_plain(json.dumps(part).encode()) for part in parts)


class Held:
    """What the provider remembers."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
        self.next: dict[str, Any] = {"sub": "s1"}
        self.fault = ""
        self.codes: dict[str, dict[str, str]] = {}


class Handler(BaseHTTPRequestHandler):
    held: Held

    def log_message(self, *_: Any) -> None:
        return None

    def _json(self, body: Any, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        issuer = self.held.issuer
        if parts.path == "/.well-known/openid-configuration":
            return self._json(
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                    "jwks_uri": f"{issuer}/jwks",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        if parts.path == "/jwks":
            return self._json(KeySet([self.held.key]).as_dict(private=False))
        if parts.path == "/authorize":
            return self._authorize(asked)
        return self._json({"error": "not_found"}, 404)

    def _authorize(self, asked: dict[str, str]) -> None:
        good = asked.get("client_id") == CLIENT and asked.get("response_type") == "code"
        if not good or asked.get("code_challenge_method") != "S256" or "openid" not in asked.get("scope", ""):
            self._json({"error": "invalid_request"}, 400)
            return
        code = secrets.token_urlsafe(16)
        self.held.codes[code] = asked
        said = {
            "state": asked["state"],
            **({"error": "access_denied"} if self.held.fault == "denied" else {"code": code}),
        }
        self.send_response(302)
        self.send_header("location", f"{asked['redirect_uri']}?{urlencode(said)}")
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        if self.path == "/control":
            told = json.loads(body)
            self.held.next, self.held.fault = told["claims"], told.get("fault", "")
            if told.get("new_key"):
                self.held.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
            return self._json({})
        if self.path == "/token":
            return self._token({name: values[0] for name, values in parse_qs(body).items()})
        return self._json({"error": "not_found"}, 404)

    def _token(self, sent: dict[str, str]) -> None:
        shown = self.headers.get("authorization", "")
        if not shown.startswith("Basic ") or b64decode(shown[6:]).decode() != f"{CLIENT}:{SECRET}":
            return self._json({"error": "invalid_client"}, 401)
        asked = self.held.codes.pop(sent.get("code", ""), None)
        proof = _plain(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if asked is None or asked["redirect_uri"] != sent.get("redirect_uri") or proof != asked["code_challenge"]:
            return self._json({"error": "invalid_grant"}, 400)
        return self._json({"access_token": "x", "token_type": "Bearer", "id_token": self._id_token(asked)})

    def _id_token(self, asked: dict[str, str]) -> str:
        now, fault = int(time.time()), self.held.fault
        claims: dict[str, Any] = {
            "iss": "https://other.example" if fault == "issuer" else self.held.issuer,
            "aud": "somebody-else" if fault == "audience" else CLIENT,
            "iat": now - 7200 if fault == "expired" else now,
            "exp": now - 3600 if fault == "expired" else now + 300,
            "nonce": "another" if fault == "nonce" else asked["nonce"],
            **self.held.next,
        }
        if fault == "azp":
            claims["azp"] = "somebody-else"
        if fault == "unsigned":
            return _joined({"alg": "none", "typ": "JWT"}, claims) + "."
        if fault == "shared":  # signed with the public key as if it were a shared secret
            said = _joined({"alg": "HS256", "typ": "JWT", "kid": self.held.key.kid}, claims)
            mark = hmac.digest(self.held.key.as_pem(private=False), said.encode(), "sha256")
            return f"{said}.{_plain(mark)}"
        signer = RSAKey.generate_key(2048, {"kid": self.held.key.kid}) if fault == "forged" else self.held.key
        return jwt.encode({"alg": "RS256", "kid": self.held.key.kid}, claims, signer)


def main() -> None:
    port = int(sys.argv[1])
    Handler.held = Held(f"http://127.0.0.1:{port}")
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()

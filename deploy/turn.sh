#!/bin/sh
# Starts coturn in its container (docker-compose.yml): UDP and TCP on 3478, or with TLS=yes nothing but TLS, on port 443 of
# TLS_ADDRESS. Two processes, because 443 of the site's own address is the proxy's.
#
# SECRET, REALM; NODES: what may be relayed to, separated by commas. Beside this file: turnserver.conf, with TLS also cert.pem
# and key.pem, read as root before the process becomes nobody: after a renewal restart the container.
set -eu
here=$(dirname "$0")
set -- -c "$here/turnserver.conf" "--static-auth-secret=$SECRET" "--realm=$REALM"
for node in $(echo "$NODES" | tr ',' ' '); do set -- "$@" "--allowed-peer-ip=$node"; done
if [ "${TLS:-no}" = yes ]; then
    : "${TLS_ADDRESS:?set TURN_TLS_ADDRESS in .env}"
    set -- "$@" "--listening-ip=$TLS_ADDRESS" "--relay-ip=$TLS_ADDRESS" --tls-listening-port=443 --no-udp --no-tcp --no-dtls
    set -- "$@" "--cert=$here/cert.pem" "--pkey=$here/key.pem" --proc-user=nobody --proc-group=nogroup
fi
exec turnserver "$@"

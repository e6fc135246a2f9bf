#!/bin/sh
# Starts SeaweedFS as one S3 server with the one identity that S3_KEY and S3_SECRET name. Data lies in /data.
set -eu
umask 077
cat >/tmp/s3.json <<JSON
{"identities": [{"name": "tongtang", "credentials": [{"accessKey": "$S3_KEY", "secretKey": "$S3_SECRET"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
exec weed server -dir=/data -ip=127.0.0.1 -ip.bind=0.0.0.0 -master.telemetry=false -volume.preStopSeconds=0 \
    -filer -s3 -s3.port=8333 -s3.config=/tmp/s3.json

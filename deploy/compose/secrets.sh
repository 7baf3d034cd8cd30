#!/usr/bin/env bash
# Makes what docker-compose.yml keeps secret, once: passwords, the key for pseudonyms, and certificates for
# Elasticsearch, in deploy/compose/secrets (or the folder that is named). What is there already stays.
#
# The folder is for its owner only. The files in it can be read by all, since each is shown to containers
# that run as a user of their own.
set -euo pipefail
folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
cd "$folder"

random() { openssl rand -base64 "$1" | tr -d '\n'; }

for name in elastic_password kibana_password outfall_password grafana_password; do
    [ -e "$name" ] || openssl rand -hex 24 >"$name"
done
[ -e pseudonym_key ] || printf 'k1:%s\n' "$(random 32)" >pseudonym_key

if [ ! -e elasticsearch.crt ]; then
    openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=outfall authority" \
        -keyout ca.key -out ca.crt 2>/dev/null
    openssl req -newkey rsa:3072 -nodes -subj "/CN=elasticsearch" -keyout elasticsearch.key -out request 2>/dev/null
    openssl x509 -req -in request -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -out elasticsearch.crt \
        -extfile <(printf 'subjectAltName=DNS:elasticsearch,DNS:localhost,IP:127.0.0.1') 2>/dev/null
    rm -f request ca.srl
fi
chmod 444 -- *
chmod 400 ca.key # no container is given it
echo "secrets are in $folder"

#!/usr/bin/env bash
# Puts the dashboards into Kibana; what is there already under the same ids is replaced.
set -euo pipefail
curl --silent --show-error --fail --config - --request POST --header 'kbn-xsrf: outfall' \
    --form file=@/etc/outfall/dashboards/outfall.ndjson \
    'http://kibana:5601/api/saved_objects/_import?overwrite=true' \
    <<<"user = \"elastic:$(cat /run/secrets/elastic_password)\""

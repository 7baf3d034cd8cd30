#!/usr/bin/env bash
# Gives Kibana its password, and outfall a user with the roles that `outfall elasticsearch setup` has made.
set -euo pipefail
secret() { cat "/run/secrets/$1"; }

# The password goes in through standard input, so that no list of processes shows it.
ask() {
    curl --silent --show-error --fail --cacert /run/secrets/ca --config - --request "$1" \
        --header 'Content-Type: application/json' --data "$3" "https://elasticsearch:9200$2" \
        <<<"user = \"elastic:$(secret elastic_password)\""
}

ask POST /_security/user/kibana_system/_password "{\"password\": \"$(secret kibana_password)\"}"
ask PUT /_security/user/outfall "{\"password\": \"$(secret outfall_password)\", \"roles\": [\"outfall-indexer\", \"outfall-event-indexer\", \"outfall-analyst\"]}"

#!/bin/sh
# Plays a council's day: makes it up, publishes who its people and partners are, and sends its logs.
set -eu
day=$(date -u -d yesterday +%F) # events that are ahead of the clock would move no time
outfall simulate --out /tmp/council --seed 1 --people 200 --start "$day" --rules /etc/outfall/rules
OUTFALL_ENRICH=/tmp/council/config outfall publish
exec outfall produce --simulate --seed 1 --people 200 --start "$day" --speed 600 --let-pass 2h

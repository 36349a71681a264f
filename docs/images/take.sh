#!/bin/sh
# The picture of the report in README.md, from the page of a real fit:
# ./dev demo parkinsons --time-budget 60s && docs/images/take.sh demo
set -eu
page=$(cd "$1" && pwd)/report.html
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,1380 \
    --screenshot="$(dirname "$0")/report.png" "file://$page"

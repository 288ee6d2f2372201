#!/usr/bin/env bash
# couponmock with curl: a world of one's own, a few requests, a look at what was asked.
#
# Run `couponmock serve`, then this, with COUPONMOCK_URL set if it is not at http://127.0.0.1:8642.
set -euo pipefail

server=${COUPONMOCK_URL:-http://127.0.0.1:8642}
name=curl-$$-$RANDOM
# The only thing a client has to be told: this in place of the vendor's host.
base_url=$server/~$name

ask() { curl --silent --show-error --noproxy '*' --fail-with-body --header 'Content-Type: application/json' "$@"; }

ask --output /dev/null --data "{\"name\": \"$name\"}" "$server/__admin/namespaces"
trap 'ask --request DELETE "$server/__admin/namespaces/$name"' EXIT

ask --data '{"coupon_value": "JDSI2JE"}' "$base_url/v2/coupon/unuse?api_key=QWERTY"
# The second time there is no use to take back: --fail-with-body makes that a failure.
if ask --data '{"coupon_value": "JDSI2JE"}' "$base_url/v2/coupon/unuse?api_key=QWERTY"; then exit 1; fi
ask "$base_url/v2/users/1001/usable_coupons?api_key=QWERTY" | grep --quiet JDSI2JE

ask --data '{"by": "400d"}' "$base_url/__admin/clock/advance"
if ask "$base_url/v2/users/1001/usable_coupons?api_key=QWERTY" | grep --quiet JDSI2JE; then exit 1; fi

ask --data '{"operationId": "unuseCoupon", "count": 2}' "$base_url/__admin/verify"
echo "curl: all is well"

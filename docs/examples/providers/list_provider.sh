#!/bin/sh
# A provider of test data in plain shell: it hands out used coupons of one member from a list, each of them once.
# Start it with the list and the member's id: list_provider.sh coupons.txt 1001
set -eu
exec 3<"$1"
member=$2

# Prints the entities that a request asks for, or why there are none. Its handles are what stands before `":{"kind":`.
provide() {
  rest=$1
  entities=
  while :; do
    case $rest in *'":{"kind":'*) ;; *) break ;; esac
    handle=${rest%%'":{"kind":'*}
    handle=${handle##*'"'}
    rest=${rest#*'":{"kind":'}
    case $handle in
      member.alice) entity="{\"id\":\"$member\"}" ;;
      coupon.used | coupon.used_too | coupon.used_plain | coupon.used_rush)
        if ! read -r code <&3; then
          echo '{"version":1,"cannot":"no used coupon is left in the list"}'
          return
        fi
        entity="{\"code\":\"$code\"}"
        ;;
      *)
        echo "{\"version\":1,\"cannot\":\"the list is not for $handle\"}"
        return
        ;;
    esac
    entities="$entities${entities:+,}\"$handle\":$entity"
  done
  echo "{\"version\":1,\"entities\":{$entities}}"
}

# One line is a request, and one line is its answer. This process lives as long as the run, so what has been handed out
# is known by where it stands in the list.
while read -r line; do
  case $line in
    *'"request":"describe"'*)
      echo '{"version":1,"handles":["member.alice","coupon.used","coupon.used_too","coupon.used_plain","coupon.used_rush"]}'
      ;;
    *'"request":"provide"'*) provide "$line" ;;
    *) echo '{"version":1,"error":"this request is not known here"}' ;;
  esac
done

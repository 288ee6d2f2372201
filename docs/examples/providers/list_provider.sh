#!/bin/sh
# A provider of test data in plain shell: it hands out used coupons of one member from a list, each of them once.
# Start it with the list and the member's id: list_provider.sh coupons.txt 1001
set -eu
exec 3<"$1"
member=$2

# Prints a text as JSON has it.
quoted() {
  printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

# Prints what a request needs, one a line: handle and members, as in `coupon.used "code"`. Of each need the handle is what
# stands before `":{"kind":`, and the members are the first list behind it.
needs() {
  rest=$1
  while :; do
    case $rest in *'":{"kind":'*) ;; *) break ;; esac
    handle=${rest%%'":{"kind":'*}
    rest=${rest#*'":{"kind":'}
    members=${rest#*'"members":['}
    printf '%s %s\n' "${handle##*'"'}" "${members%%']'*}"
  done
}

# Prints the entities that a request asks for, or why there are none. Every member that is asked for has to be given, so
# all is looked through before a coupon is taken from the list: one that was taken is gone.
provide() {
  wanted=$(needs "$1")
  number=0
  while read -r handle members; do
    case "$handle $members" in
      ' ' | 'member.alice "id"' | 'member.alice ') ;;
      'coupon.used '* | 'coupon.used_too '* | 'coupon.used_plain '* | 'coupon.used_rush '*)
        if [ "$members" != '"code"' ]; then
          cannot "of $handle the list has the code only, not $members"
          return
        fi
        number=$((number + 1))
        ;;
      'member.alice '*)
        cannot "of $handle only the id is known here, not $members"
        return
        ;;
      *)
        cannot "the list is not for $handle"
        return
        ;;
    esac
  done <<NEEDS
$wanted
NEEDS
  while [ "$(printf '%s' "$left" | grep -c '')" -lt "$number" ]; do
    read -r code <&3 || [ -n "$code" ] || {
      cannot "no used coupon is left in the list"
      return
    }
    left="$left${code:+$code
}"
  done
  entities=
  while read -r handle members; do
    case $handle in
      '') continue ;;
      member.alice) entity="{\"id\":$(quoted "$member")}" ;;
      *)
        code=${left%%"
"*}
        left=${left#*"
"}
        entity="{\"code\":$(quoted "$code")}"
        ;;
    esac
    entities="$entities${entities:+,}\"$handle\":$entity"
  done <<NEEDS
$wanted
NEEDS
  printf '{"version":1,"entities":{%s}}\n' "$entities"
}

cannot() {
  printf '{"version":1,"cannot":%s}\n' "$(quoted "$1")"
}

# Codes that were read from the list and not handed out yet, one a line.
left=

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

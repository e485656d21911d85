# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Did it work? 0 it did, 1 it did not, 2 not known yet, 3 nobody can say.

confirmed() { # 0 it did, 1 it did not, 2 not known yet, 3 nobody can say
  case $confirm in
    metadata) confirmed_by_metadata ;;
    /*)
      # shellcheck disable=SC2086 # words
      clean HR_RESOURCE="$resource" HR_TO="$to" timeout "$timeout" $confirm >/dev/null 2>&1 &
      child=$!
      wait "$child"
      set -- "$?"
      child=''
      [ "$1" = 0 ] || return 2
      ;;
    *)
      [ -n "$run" ] || return 3
      "confirmed_by_$type"
      ;;
  esac
}

readable() {
  case $status in
    2??) return 0 ;;
    401 | 403 | 404) log info "the run cannot be read with this token ($status)" && return 3 ;;
    *) return 2 ;;
  esac
}

confirmed_by_metadata() { # Hetzner tells each server its own alias IPs
  headers='' body='' proxy=''
  request GET http://169.254.169.254/hetzner/v1/metadata/private-networks
  [ "$status" = 200 ] || return 2
  of_list=''
  for word in $(tr ',"[]\r\n' '      ' <"$work.answer"); do
    case $word in
      alias_ips:) of_list=yes ;;
      *:) of_list='' ;;
      "$address") [ -z "$of_list" ] || return 0 ;;
    esac
  done
  return 2
}

confirmed_within() { # SECONDS
  uptime_ms
  deadline=$((uptime_ms + $1 * 1000)) step=1
  while :; do
    left=$(((deadline - uptime_ms + 999) / 1000))
    [ "$left" -gt 0 ] || return 1
    [ "$step" -le "$left" ] || step=$left
    pause "$step"
    confirmed
    case $? in
      0) return 0 ;;
      1) log warning "the run failed" && pause "$((left - step))" && return 1 ;;
      3) pause "$((left - step))" && return 1 ;;
    esac
    step=$((step * 2))
    uptime_ms
  done
}

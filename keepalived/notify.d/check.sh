# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# --check: is everything there that a fail-over needs?

check() {
  checking=yes problems=0
  if [ -r "$file" ]; then read_config; else fault "$file is not there, or user $my_uid may not read it" && return 1; fi
  settle_config
  [ "$problems" = 1 ] || printf 'ok       %s\n' "$file is sound; $to is what resources are moved to"
  tell 'program ip' has ip
  if ! has logger || ! has timeout; then printf 'note     %s\n' 'logger or timeout is missing: messages go to stderr'; fi
  for one in $triggers; do tell "trigger $one" check_trigger "$one"; done
  for one in $all_names; do tell "vrrp $one" check_name "$one"; done
  [ -n "$all_names" ] || tell 'vrrp' fail "there is no [vrrp.NAME], so no call has an effect"
  tell 'state_dir' check_state_dir
  [ "$problems" = 0 ]
}

tell() { # WORD COMMAND...
  word=$1
  shift
  if said=$("$@"); then
    printf 'ok       %s%s\n' "$word" "${said:+: $said}"
  else
    printf 'PROBLEM  %s%s\n' "$word" ": ${said:-not found in $PATH}"
    problems=1
  fi
}

check_trigger() { # NAME
  load "trigger.$1" || fail "there is no [trigger.$1]"
  needed || fail "$why"
  case $type in
    tekton) set -- od sha256sum ;;
    jenkins) set -- base64 ;;
    local) set -- hcloud-reassign ;;
    command) set -- "${command%% *}" ;;
    *) set -- ;;
  esac
  for program in "$@"; do has "$program" || fail "there is no program $program in $PATH"; done
  printf '%s%s' "$type" "${url:+ at $url}"
}

check_name() { # NAME
  load_name "$1"
  [ -z "$interface" ] || [ -e "/sys/class/net/$interface" ] || fail "there is no interface $interface"
  if has_address; then
    printf '%s is here: this host is MASTER, a call would move %s to %s' "$address" "$resource" "$to"
  else
    ip -o addr show to "$address" >/dev/null 2>&1 || fail "$why"
    printf '%s: not MASTER, a call would ask nobody' "$why"
  fi
}

check_state_dir() { # looks only: whom keepalived runs as may be another user
  if [ -e "$state_dir" ]; then usable_state_dir "$state_dir" || fail "$why" && return; fi
  above=${state_dir%/*}
  until [ -e "$above/" ] || [ -e "$above" ]; do above=${above%/*}; done
  if [ ! -d "$above/" ] || [ ! -w "$above/" ]; then fail "$state_dir cannot be made in ${above:-/}"; fi
  printf '%s will be made by the first call' "$state_dir"
}

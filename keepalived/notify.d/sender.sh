# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# The process in the background that asks until it worked, gives up, or is not MASTER.

send() { # in the background, until it is known to have worked, given up, or not MASTER; with $repeat from then on again
  become_sender
  await_address
  repeating=''
  ask_until_known
  while [ "$repeat" -gt 0 ]; do
    pause "$repeat"
    resend=0 repeating=yes
    ask_until_known
  done
  exit 0
}

ask_until_known() {
  resent=0 refused=''
  while ask_until_accepted; do
    log notice "$asked was asked at $issued_at to move $resource to $to"
    if confirmed_within "$resend_every"; then end_well && return; fi
    [ "$resent" -lt "$resend" ] || { give_up unconfirmed && return; }
    resent=$((resent + 1))
    log info "it is not known to have worked: asks again ($resent of $resend)"
  done
}

become_sender() {
  take "$owner_file"
  work=$owner_file.$pid child=''
  trap 'forget_files "$work"' EXIT
  trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 0' HUP TERM
  [ "$standing" != "$me" ] && [ -n "$standing" ] || return 0
  if lives "$standing"; then kill "${standing% *}" 2>/dev/null; else forget_files "$owner_file.${standing%% *}"; fi
}

forget_files() {
  rm -f "$1.answer" "$1.error" "$1.wgetrc" "$1.body"
}

pause() { # SECONDS: ends the sender when another one has taken over
  slept=0
  while [ "$slept" -lt "$1" ]; do
    sleep 1
    slept=$((slept + 1))
    is_mine "$owner_file" || exit 0
  done
}

await_address() { # keepalived sets it before it calls; the kernel may show it a moment later
  looked=0
  until has_address || [ "$looked" -ge "$settle" ]; do
    looked=$((looked + 1))
    pause 1
  done
}

ask_until_accepted() { # or until nothing is to be waited for
  try=1 wait_s=$retry_wait
  while :; do
    for asked in $triggers; do
      case " $refused " in *" $asked "*) continue ;; esac
      must_be_master
      ask "$asked"
      case $? in
        0) return 0 ;;
        1) refused="$refused $asked" ;;
        3) end_well && return 1 ;;
      esac
    done
    all_refused && give_up refused && return 1
    [ "$try" -lt "$retries" ] || { give_up unreachable && return 1; }
    log info "asks again in $wait_s s (try $((try += 1)) of $retries)"
    pause "$wait_s"
    wait_s=$((wait_s * 2))
    [ "$wait_s" -le "$retry_wait_max" ] || wait_s=$retry_wait_max
  done
}

all_refused() {
  for asked in $triggers; do case " $refused " in *" $asked "*) ;; *) return 1 ;; esac done
}

end_well() {
  log notice "$resource is on $to, confirmed by ${confirm:-$asked}"
}

give_up() { # REASON
  case $1$repeating in
    unconfirmedyes) return 0 ;;
    refused*) log err "gives up: every trigger refused; nothing is asked until the next call" ;;
    unreachable*) log err "gives up: no trigger accepted in $retries tries" ;;
    unconfirmed) log warning "asked $((resend + 1)) times; whether it worked cannot be seen from here" ;;
  esac
  # shellcheck disable=SC2086 # words
  [ -z "$on_giveup" ] || clean HR_REASON="$1" HR_NAME="$name" HR_RESOURCE="$resource" HR_TO="$to" timeout 60 $on_giveup ||
    log err "on_giveup ended with $?: $on_giveup"
  return 0
}

after_another_master() { # it may have taken the resource; asks at most every $rx_interval seconds, the last time included
  waiting=$state_dir/$name.waiting
  stands_in "$waiting"
  lives "$standing" && return
  log info "another host was MASTER, too: asks for $resource to move to $to"
  send_in_time &
}

send_in_time() {
  take "$waiting"
  last=0
  { read -r last <"$state_dir/$name.last"; } 2>/dev/null
  case $last in '' | *[!0-9]*) last=0 ;; esac
  uptime_ms
  [ "$last" -le "$uptime_ms" ] || last=0
  while [ "$last" -gt 0 ] && [ "$uptime_ms" -lt "$((last + rx_interval * 1000))" ]; do
    sleep 1
    is_mine "$waiting" || exit 0
    uptime_ms
  done
  printf '%s\n' "$uptime_ms" >"$state_dir/$name.last"
  rm -f "$waiting"
  send
}

# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# The reader of a notify FIFO, which keeps the order of what keepalived says.

read_fifo() { # FIFO
  # keepalived starts no other reader before its next reload: what it writes meanwhile waits in the FIFO.
  until (prepare); do sleep 10; done
  prepare
  become_reader "$state_dir/reader.$(printf '%s' "$1" | tr -c 'A-Za-z0-9._-' _)"
  exec <"$1"
  interrupted='' timer=''
  trap 'last_lines' TERM
  while :; do
    if IFS= read -r line; then
      read_notice "$line"
    elif [ -n "$interrupted" ]; then
      [ -z "$line" ] || read_notice "$line"
      interrupted=''
    else
      break
    fi
  done
  [ -z "$line" ] || read_notice "$line"
  [ -z "$timer" ] || kill "$timer" 2>/dev/null
  log info "$1 is closed"
}

become_reader() { # FILE: two readers would tear each other's lines
  take "$1"
  former=$standing
  ! lives "$former" || kill "${former% *}" 2>/dev/null
  waited=0
  while lives "$former"; do
    [ "$waited" -lt 5 ] || kill -KILL "${former% *}" 2>/dev/null
    waited=$((waited + 1))
    sleep 1
  done
  is_mine "$1" || exit 0
}

last_lines() { # keepalived ends the reader first and writes its last lines then
  interrupted=yes
  trap 'exit 0' TERM
  { sleep 2 && kill "$$"; } >/dev/null 2>&1 &
  timer=$!
}

read_notice() { # LINE: INSTANCE "VI_1" MASTER 150
  case $1 in
    INSTANCE\ \"*\"\ * | GROUP\ \"*\"\ *) ;;
    *) torn "$1" && return ;;
  esac
  rest=${1#*\"}
  told=${rest%%\"*}
  rest=${rest#*\" }
  case ${rest#* } in '' | *[!0-9]* | ????*) torn "$1" && return ;; esac
  case ${rest% *} in
    MASTER | MASTER_RX_LOWER_PRI | BACKUP | FAULT | STOP | DELETED | MASTER_PRIORITY | BACKUP_PRIORITY) ;;
    *) torn "$1" && return ;;
  esac
  case " $all_names " in *" $told "*) (call "$told" "${rest% *}") ;; esac
}

torn() { # LINE: what it said is lost, so every address is looked at
  log warning "this line of the FIFO cannot be read, so every address is looked at: $1"
  for told in $all_names; do
    if (load_name "$told" && has_address); then (call "$told" MASTER); else (call "$told" BACKUP); fi
  done
}

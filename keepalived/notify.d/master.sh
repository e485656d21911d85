# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Who is MASTER, and which process speaks for it.

load_name() { # NAME
  load "vrrp.$1" || fail "$file has no [vrrp.$1]; it has:${all_names:- none}"
  for key in resource address; do
    eval "value=\$$key"
    [ -n "$value" ] || fail "$file: [vrrp.$1] needs '$key'"
  done
  # What the address is looked for with; no interface means all.
  where_to_look="to $address${interface:+ dev $interface}"
  owner_file=$state_dir/$1.sender
}

has_address() { # sets $why where it has not
  # shellcheck disable=SC2086 # words
  shown=$(ip -o addr show $where_to_look 2>&1) || { why="ip addr show $where_to_look: $shown" && return 1; }
  why="$address is not on ${interface:-any interface}"
  [ -n "$shown" ]
}

uptime_ms() { # in $uptime_ms: a clock that nobody sets
  read -r uptime _ </proc/uptime
  uptime_ms=$((${uptime%.*} * 1000 + 1${uptime#*.}0 - 1000))
}

confirm_master() { # the moment of it in $issued_at and $confirmed_at
  uptime_ms
  confirmed_at=$uptime_ms
  # Milliseconds where date knows them; else what is certain, the second that has begun.
  issued_at=$(date +%s%3N)
  case ${#issued_at}$issued_at in
    *[!0-9]*) issued_at=$(date +%s)000 ;;
    13*) ;;
    *) issued_at=$(date +%s)000 ;;
  esac
  has_address
}

start_of() { # PID: when it was started, in $start; fails where it is gone
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086 # words, from the third on: the second is a name with anything in it
  set -- ${stat##*) }
  shift 19
  start=$1
}

lives() { # "PID START"
  case $1 in *[!0-9\ ]* | '') return 1 ;; esac
  start_of "${1% *}" && [ "$start" = "${1#* }" ]
}

remember_caller() { # a keepalived that was killed leaves its address behind
  caller=''
  { read -r calls_itself <"/proc/$PPID/comm"; } 2>/dev/null || return 0
  case $calls_itself in keepalived*) start_of "$PPID" && caller="$PPID $start" ;; esac
}

stands_in() { # FILE: "PID START" in $standing
  standing=''
  { read -r standing <"$1"; } 2>/dev/null || return 0
}

take() { # FILE: this process stands in it now; who stood there is in $standing
  read -r pid _ </proc/self/stat
  start_of "$pid"
  me="$pid $start"
  stands_in "$1"
  if printf '%s\n' "$me" >"$1.$pid" && mv -f "$1.$pid" "$1"; then return; fi
  fail "cannot write $1: nothing is asked"
}

is_mine() { # FILE
  stands_in "$1"
  [ "$standing" = "$me" ]
}

must_be_master() { # ends the sender where it is not, or where another one has taken over
  is_mine "$owner_file" || exit 0
  if [ -n "$caller" ] && ! lives "$caller"; then
    log notice "the keepalived that called is gone; asks no more"
    exit 0
  fi
  confirm_master && return
  log notice "not MASTER: $why; asks no more"
  exit 0
}

find_state_dir() { # a disk that is full or read-only must not keep it from asking: then all calls find the same other one
  trouble=''
  for folder in "$state_dir" "/run/$tag" "/dev/shm/$tag.$my_uid" "/tmp/$tag.$my_uid"; do
    if usable_state_dir "$folder"; then
      state_dir=$folder HOME=$folder
      [ -z "$trouble" ] || log err "state_dir: $trouble; takes $folder"
      return
    fi
    trouble=${trouble:-$why}
  done
  fail "state_dir: $trouble; there is no other folder either: nothing is asked"
}

usable_state_dir() { # FOLDER; says in $why what is wrong
  mkdir -p "$1" 2>/dev/null
  why="$1 has to be a folder of user $my_uid: install -d -m 700 -o $my_uid $1"
  [ -d "$1" ] && [ ! -h "$1" ] && mode_and_owner "$1" && [ "$owner" = "$my_uid" ] || return 1
  ! unsafe "$1" || return 1
  why="$1 cannot be written: is it full, or read-only?"
  if { echo probe >"$1/probe.$$"; } 2>/dev/null; then rm -f "$1/probe.$$"; else rm -f "$1/probe.$$" && return 1; fi
}

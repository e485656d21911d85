# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Files that nobody else may write, or read.

unsafe() { # PATH: whether others than root and this user can change it; says how in $why
  [ -e "$1" ] || { why="$1 is not there" && return 0; }
  [ -r "$1" ] || { why="$1 cannot be read by user $my_uid" && return 0; }
  path_so_far=$1
  while :; do
    writable_by_others "$path_so_far" && return 0
    [ "$path_so_far" != / ] || return 1
    path_so_far=${path_so_far%/*}
    path_so_far=${path_so_far:-/}
  done
}

writable_by_others() {
  mode_and_owner "$1"
  case $owner in 0 | "$my_uid") ;; *) why="$1 belongs to user $owner: chown root $1" && return 0 ;; esac
  case $mode in d????????[tT]*) return 1 ;; esac
  case $mode in
    ?????w* | ????????w*) why="$1 can be written by its group or by others: chmod go-w $1" && return 0 ;;
  esac
  return 1
}

mode_and_owner() {
  # shellcheck disable=SC2012 # stat has other options everywhere; mode and numeric owner come before any name
  read -r mode _ owner _ <<EOF
$(ls -ldnL "$1")
EOF
}

absolute() { # PATH: in $absolute, taken from the folder of the configuration
  case $1 in /*) absolute=$1 ;; *) absolute=${file%/*}/$1 ;; esac
}

secret_is_safe() { # PATH; says in $why what is wrong
  absolute "$1"
  unsafe "$absolute" && return 1
  mode_and_owner "$absolute"
  case $mode in ???????r*) why="$absolute can be read by others: chmod o-r $absolute" && return 1 ;; esac
  [ -s "$absolute" ] || { why="$absolute is empty" && return 1; }
}

read_token() { # PATH: its first line, in $secret; says in $why what is wrong
  secret=''
  secret_is_safe "$1" || return 1
  IFS= read -r secret <"$absolute" || [ -n "$secret" ]
  trimmed "${secret%"$cr"}"
  secret=$trimmed
  case $secret in
    '') why="the first line of $absolute is empty" && return 1 ;;
    *[!A-Za-z0-9._~+/=:-]*) why="the first line of $absolute has bytes that no token has" && return 1 ;;
  esac
}

# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Asks one trigger once: 0 accepted, 1 refused, 2 may be tried again, 3 done and known to be done.

ask() { # TRIGGER
  load "trigger.$1" || { log err "$file has no [trigger.$1]" && return 1; }
  needed || { log err "[trigger.$1] of $file is left out: $why" && return 1; }
  uptime_ms
  age=$((uptime_ms - confirmed_at))
  headers='' body='' secrets='' run=''
  log info "asks $1 ($type) to move $resource to $to"
  "ask_$type" "$1"
}

needed() { # whether the trigger has what its type needs; says in $why what is wrong
  url=${url%/} reader=''
  case $type in
    github) url=${url:-https://api.github.com} ;;
    gitlab) url=${url:-https://gitlab.com} ;;
  esac
  is_type "$type" || { why="it has no 'type': $type_rule" && return 1; }
  eval "keys=\$needs_$type"
  for key in $keys; do
    eval "value=\$$key"
    [ -n "$value" ] || { why="type = $type needs '$key'" && return 1; }
  done
  encrypted || return 1
  [ -z "$url" ] || has_client || { why='there is neither curl nor GNU wget' && return 1; }
  [ -z "$read_token_file" ] || { read_token "$read_token_file" && reader=$secret; } || return 1
  [ -z "$token_file" ] || read_token "$token_file" || return 1
  [ -z "$secret_file" ] || read_key "$secret_file"
}

encrypted() { # what holds a secret goes over http to this machine alone
  case $url in http://*) ;; *) return 0 ;; esac
  host=${url#http://}
  host=${host%%[:/]*}
  why="$url is not encrypted: write https://, or allow_http = yes"
  case $host in
    localhost) ;;
    127.*[!0-9.]*) [ "$allow_http" = yes ] ;;
    127.*) ;;
    *) [ "$allow_http" = yes ] ;;
  esac
}

judge() { # TRIGGER HINT: an answer's status, for the log and as a result
  case $status in
    2??) return 0 ;;
    000)
      said=$(tr '\n' ' ' <"$work.error" | cut -c 1-200)
      log warning "$1 gave no answer: ${said:-its client ended with $ended}"
      return 2
      ;;
    408 | 429 | 5??) ;;
    3??)
      log err "$1 refused with $status: it is at another address; write that one as 'url'"
      return 1
      ;;
    *)
      if [ -z "$(header_of_answer retry-after)" ]; then
        log err "$1 refused with $status$(answer_text). $2"
        return 1
      fi
      ;;
  esac
  log warning "$1 answered $status$(answer_text)"
  return 2
}

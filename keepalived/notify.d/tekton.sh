# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Tekton: a signed request to an EventListener, whose answer says nothing.

needs_tekton='url secret_file'

ask_tekton() {
  body=$(printf '{"resource":"%s","to":"%s","issued_at":%s,"age":%s,"by":"%s"}' \
    "$resource" "$to" "$issued_at" "$age" "$by")
  headers="Content-Type: application/json
X-GitHub-Event: hcloud-reassign
X-Hub-Signature-256: sha256=$(printf '%s' "$body" | hmac_sha256 "$key")"
  request POST "$url/"
  judge "$1" "Look at the listener's address and at its Ingress."
}

# With the key as its option, openssl would show it to every user: so two plain digests, and the XOR in the shell.

read_key() { # PATH: its first line without outer blanks, each byte in hexadecimal, in $key
  secret_is_safe "$1" || return 1
  key=$(od -An -v -tx1 <"$absolute" | tr -s ' \n' '  ')
  key=${key%% 0a*}
  while :; do
    case $key in
      ' 20'* | ' 09'* | ' 0d'*) key=${key#???} ;;
      *' 20' | *' 09' | *' 0d') key=${key%???} ;;
      '' | ' ') why="the first line of $absolute is empty" && return 1 ;;
      *) return 0 ;;
    esac
  done
}

hmac_sha256() { # "HEX HEX ...": the key; of stdin, in hexadecimal
  block=$(key_block "$1")
  inner=$({ octal "$block" 54 && cat; } | sha256sum)
  outer=$({ octal "$block" 92 && octal "$(spaced "${inner%% *}")" 0; } | sha256sum)
  printf '%s' "${outer%% *}"
}

key_block() { # "HEX HEX ...": 64 bytes; a longer key is digested first
  # shellcheck disable=SC2086 # words
  set -- $1
  if [ "$#" -gt 64 ]; then
    digest=$(octal "$*" 0 | sha256sum)
    # shellcheck disable=SC2046 # words
    set -- $(spaced "${digest%% *}")
  fi
  while [ "$#" -lt 64 ]; do set -- "$@" 00; done
  printf '%s' "$*"
}

spaced() { printf '%s' "$1" | sed 's/../& /g'; }

octal() { # "HEX HEX ..." NUMBER: these bytes, each XORed with the number
  escaped=''
  for byte in $1; do
    byte=$((0x$byte ^ $2))
    escaped="$escaped\\0$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"
  done
  printf '%b' "$escaped"
}

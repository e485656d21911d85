# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Tekton: a signed request to an EventListener, whose answer says nothing.

needs_tekton='url secret_file'

ask_tekton() {
  body=$(printf '{"resource":"%s","to":"%s","issued_at":%s,"age":%s,"by":"%s"}' \
    "$resource" "$to" "$issued_at" "$age" "$by")
  headers="Content-Type: application/json
X-GitHub-Event: hcloud-reassign
X-Hub-Signature-256: sha256=$(printf '%s' "$body" | hmac_sha256 "$absolute")"
  request POST "$url"
  judge "$1" "Look at the listener's address and at its Ingress."
}

hmac_sha256() { # KEYFILE: of stdin. The key is the file's bytes without one line end at their end.
  key=$(key_bytes "$1")
  inner=$({ octal "$key" 54 && cat; } | sha256sum)
  inner=$(printf '%s' "${inner%% *}" | sed 's/../& /g')
  outer=$({ octal "$key" 92 && octal "$inner" 0; } | sha256sum)
  printf '%s' "${outer%% *}"
}

key_bytes() { # KEYFILE: 64 bytes in hexadecimal; a longer key is digested first
  bytes=$(od -An -v -tx1 <"$1" | tr -s ' \n' ' ')
  bytes=${bytes# }
  bytes=${bytes% }
  case $bytes in *' 0a') bytes=${bytes% 0a} && bytes=${bytes% 0d} ;; esac
  if [ "${#bytes}" -gt 191 ]; then
    bytes=$(octal "$bytes" 0 | sha256sum)
    bytes=$(printf '%s' "${bytes%% *}" | sed 's/../& /g')
  fi
  # shellcheck disable=SC2086 # words
  set -- $bytes
  while [ "$#" -lt 64 ]; do set -- "$@" 00; done
  printf '%s' "$*"
}

octal() { # "HEX HEX ..." NUMBER: these bytes, each XORed with the number
  escaped=''
  for byte in $1; do
    byte=$((0x$byte ^ $2))
    escaped="$escaped\\0$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"
  done
  printf '%b' "$escaped"
}

# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# One HTTP request, by curl or GNU wget, without a secret in any argument.

clean() { # a program without the environment that keepalived hands on
  env -i PATH="$PATH" HOME="$HOME" LC_ALL=C "$@"
}

request() { # METHOD URL: with $headers (lines) and $body; the answer in $work.answer, its status in $status
  if has curl; then
    curl_words "$1" "$2" | run_curl "$2" &
  else
    wget_files
    run_wget "$1" "$2" &
  fi
  child=$!
  wait "$child"
  ended=$? child=''
  status=$(sed -n '$p' "$work.answer")
  has curl || status=$(sed -n '1s/^HTTP[^ ]* \([1-5][0-9][0-9]\).*/\1/p' "$work.answer")
  case $status in [1-5][0-9][0-9]) ;; *) status=000 ;; esac
  rm -f "$work.wgetrc" "$work.body"
}

has() { command -v "$1" >/dev/null; }

has_client() { has curl || { has wget && has timeout && wget --version 2>&1 | grep -q 'GNU Wget'; }; }

run_curl() { # URL: the process becomes curl, so that it can be ended
  ulimit -f 2048
  protocols='=https'
  case $1 in http://*) protocols='=http' ;; esac
  exec env -i PATH="$PATH" HOME="$HOME" LC_ALL=C curl -q --config - --silent --show-error --globoff --include \
    --suppress-connect-headers --proto "$protocols" --connect-timeout 5 --max-time "$timeout" --max-redirs 0 \
    --max-filesize 1048576 --user-agent "$tag" --write-out '\n%{http_code}\n' >"$work.answer" 2>"$work.error"
}

curl_words() { # METHOD URL: what goes to its stdin, so that it is no argument
  printf 'url = "%s"\nrequest = "%s"\n' "$2" "$1"
  if [ -n "$proxy" ]; then printf 'proxy = "%s"\n' "$proxy"; else printf 'noproxy = "*"\n'; fi
  printf '%s\n' "$headers" | sed '/^$/d; s/.*/header = "&"/'
  [ -z "$body" ] || printf '%s\n' "$body" | sed 's/[\\"]/\\&/g; s/.*/data-raw = "&"/'
}

wget_files() { # GNU wget reads neither headers nor a body from stdin: for the time of a request they are in files
  printf '%s\n' "$headers" | sed '/^$/d; s/^/header = /' >"$work.wgetrc"
  [ -z "$proxy" ] || printf 'http_proxy = %s\nhttps_proxy = %s\n' "$proxy" "$proxy" >>"$work.wgetrc"
  printf '%s' "$body" >"$work.body"
}

run_wget() { # METHOD URL
  ulimit -f 2048
  set -- "$2" ${body:+--post-file="$work.body"}
  [ -n "$proxy" ] || set -- "$@" --no-proxy
  exec env -i PATH="$PATH" HOME="$HOME" LC_ALL=C timeout "$timeout" wget --config="$work.wgetrc" --no-verbose \
    --no-netrc --no-hsts --tries=1 --max-redirect=0 --save-headers --content-on-error --user-agent="$tag" \
    --output-document=- "$@" >"$work.answer" 2>"$work.error"
}

answer_text() { # what the answer says, for the log: its beginning, and nothing where that repeats a secret
  said=$(tr -d '\r' <"$work.answer" | sed '1,/^$/d; /^[1-5][0-9][0-9]$/d' | tr '\n' ' ' | tr -cd ' -~' | cut -c 1-200)
  case $said in '' | ' '* | '<'*) return ;; esac
  for word in $secrets; do case $said in *"$word"*) return ;; esac done
  printf ': %s' "$said"
}

header_of_answer() { # NAME in lower case
  tr -d '\r' <"$work.answer" | sed '/^$/q' | sed -n 's/^\([^:]*\): *\(.*\)/\1 \2/p' | while read -r header content; do
    [ "$(printf '%s' "$header" | tr '[:upper:]' '[:lower:]')" != "$1" ] || printf '%s' "$content"
  done
}

value_in_answer() { # KEY: of JSON, where it is a number or one word
  tr -d '\r\n' <"$work.answer" | sed -n 's/.*"'"$1"'" *: *"\{0,1\}\([A-Za-z0-9_]*\).*/\1/p'
}

encoded() { # a value of a form or of a path
  printf '%s' "$1" | sed 's/%/%25/g; s/+/%2B/g; s/&/%26/g; s/=/%3D/g; s/#/%23/g; s/ /%20/g; s|/|%2F|g'
}

fields() { # BEFORE AFTER upper|'': the five as a form
  for field in resource to issued_at age by; do
    eval "value=\$$field"
    [ -z "$3" ] || field=$(printf '%s' "HR_$field" | tr '[:lower:]' '[:upper:]')
    # shellcheck disable=SC2154 # set by eval
    printf '&%s%s%s=%s' "$1" "$field" "$2" "$value"
  done
}

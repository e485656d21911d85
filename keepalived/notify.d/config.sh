# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Reads the configuration: key = value lines in sections, never as shell.

known_keys() { # SECTION
  case $1 in
    notify)
      echo triggers to path state_dir timeout retries retry_wait retry_wait_max resend resend_every rx_interval \
        settle repeat on_giveup
      ;;
    vrrp.*) echo resource address interface confirm ;;
    trigger.*)
      echo type url project ref inputs token_file read_token_file repository workflow job user secret_file command \
        config trigger proxy allow_http
      ;;
  esac
}

trimmed() { # TEXT: without outer white space, in $trimmed
  trimmed=${1#"${1%%[! "$tab"]*}"}
  trimmed=${trimmed%"${trimmed##*[! "$tab"]}"}
}

fault() { # TEXT: what is wrong with the configuration; --check goes on and names the rest, too
  [ -n "$checking" ] || fail "$1"
  printf 'PROBLEM  %s\n' "$1"
  problems=1
}

read_config() { # $entries: a line for each entry, of section, key and value
  ! unsafe "$file" || fault "configuration refused: $why"
  number=0 section='' entries='' all_triggers='' all_names=''
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    trimmed "${line%"$cr"}"
    case $trimmed in '' | [\#\;]*) continue ;; esac
    trimmed "${trimmed%%[ "$tab"][\#\;]*}"
    read_line "$trimmed"
  done <"$file"
  load notify
}

read_line() {
  case $1 in
    *[![:print:]]*) fault "$file:$number: there is a control character, or one that is not ASCII" ;;
    \[*\]) begin_section "${1#?}" ;;
    *=*) add_entry "$1" ;;
    *) fault "$file:$number: this is neither [section] nor key = value" ;;
  esac
}

begin_section() {
  section=${1%?}
  case "$newline$entries" in *"$newline$section$tab"*) fault "$file:$number: [$section] is there twice" ;; esac
  if ! is_name "${section#*.}"; then
    fault "$file:$number: the name in [$section] may have letters, digits, '.', '_' and '-'"
    section='?'
    return
  fi
  case $section in
    notify) ;;
    vrrp.*) all_names="$all_names ${section#vrrp.}" ;;
    trigger.*) all_triggers="$all_triggers ${section#trigger.}" ;;
    *)
      fault "$file:$number: unknown section [$section]; known: [notify], [vrrp.NAME], [trigger.NAME]"
      section='?'
      return
      ;;
  esac
  entries="$entries$section${tab}section${tab}$number$newline"
}

add_entry() {
  trimmed "${1%%=*}"
  key=$trimmed
  trimmed "${1#*=}"
  case $section in
    '') fault "$file:$number: '$key' stands before the first section" && return ;;
    '?') return ;;
  esac
  case " $(known_keys "$section") " in
    *" $key "*) ;;
    *) fault "$file:$number: unknown key '$key' in [$section]; known: $(known_keys "$section")" && return ;;
  esac
  case "$newline$entries" in
    *"$newline$section$tab$key$tab"*) fault "$file:$number: '$key' is there twice in [$section]" ;;
  esac
  [ -n "$trimmed" ] || return 0
  check_value "$key" "$trimmed" || { fault "$file:$number: '$key' cannot be '$trimmed': $why" && return; }
  entries="$entries$section$tab$key$tab$trimmed$newline"
}

check_value() { # KEY VALUE; says in $why what is wrong
  case $1 in
    timeout | retries | retry_wait | retry_wait_max | resend | resend_every | rx_interval | settle | repeat)
      why='a whole number is wanted, at most 99999, without a 0 before it'
      case $1:$2 in timeout:0) why='without a limit one request could wait for ever' && return 1 ;; esac
      case $2 in *[!0-9]* | ??????* | 0?*) return 1 ;; esac
      ;;
    inputs | allow_http) why="yes or no is wanted" && case $2 in yes | no) ;; *) return 1 ;; esac ;;
    resource | trigger) why="$name_rule" && is_name "$2" ;;
    to) why="$host_rule" && is_host "$2" ;;
    address) why='an address is wanted, without /length' && case $2 in *[!0-9a-fA-F:.]*) return 1 ;; esac ;;
    interface) why='this is no interface' && case $2 in -* | *[!A-Za-z0-9._@-]*) return 1 ;; esac ;;
    state_dir) why='a path from / is wanted' && case $2 in /*) ;; *) return 1 ;; esac ;;
    url | proxy) why="$url_rule" && is_url "$2" ;;
    type) why="$type_rule" && is_type "$2" ;;
    confirm) why='metadata, or a command by its whole path' && case $2 in metadata | /*) ;; *) return 1 ;; esac ;;
    repository | workflow | job | user | project | ref) why="it has letters that cannot be sent" && is_path "$2" ;;
  esac
}

name_rule="at most 64 letters, digits, '.', '_', '-', the first a letter or digit"
is_name() {
  case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) return 1 ;; esac
  [ "${#1}" -le 64 ]
}

host_rule="at most 253 letters, digits, '.', '-', the first a letter or digit"
is_host() {
  case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9.-]*) return 1 ;; esac
  [ "${#1}" -le 253 ]
}

url_rule="a URL like https://host/path is wanted, without user, '?' and '#'"
is_url() {
  case $1 in *[!A-Za-z0-9.:/_~%-]* | *://) return 1 ;; http://?* | https://?*) ;; *) return 1 ;; esac
}

type_rule='gitlab, github, jenkins, tekton, local or command; gateway is not in this version'
is_type() {
  case $1 in gitlab | github | jenkins | tekton | local | command) ;; *) return 1 ;; esac
}

is_path() {
  case $1 in '' | /* | */ | *//* | *..* | *[!A-Za-z0-9._/@-]*) return 1 ;; esac
}

load() { # SECTION: its keys become variables; fails where there is none
  case $1 in
    notify) defaults ;;
    vrrp.*) resource='' address='' interface='' confirm='' ;;
    trigger.*)
      type='' url='' project='' ref='' inputs='' token_file='' repository='' workflow='' job='' user=''
      secret_file='' command='' config='' trigger='' read_token_file='' proxy='' allow_http=''
      ;;
  esac
  found=1
  while IFS=$tab read -r where key value; do
    [ "$where" = "$1" ] || continue
    found=0
    [ "$key" = section ] || eval "$key=\$value"
  done <<EOF
$entries
EOF
  return "$found"
}

defaults() {
  triggers=$all_triggers to=$(uname -n) path=$default_path state_dir=/run/hcloud-reassign-notify timeout=10 retries=8
  retry_wait=1 retry_wait_max=30 resend=5 resend_every=60 rx_interval=10 settle=3 repeat=0 on_giveup=''
}

settle_config() { # what follows from [notify]
  while :; do case $triggers in *,*) triggers="${triggers%%,*} ${triggers#*,}" ;; *) break ;; esac done
  PATH=$path HOME=$state_dir
  by=$(uname -n)
  [ "$to" != self ] || to=$by
  is_host "$by" || fault "this host is called '$by', which cannot be sent: $host_rule"
  is_host "$to" || fault "'to' in [notify] of $file is to be a server's name: $host_rule"
  [ -n "${triggers# }" ] || fault "$file has no [trigger.NAME]: there is nobody to ask"
}

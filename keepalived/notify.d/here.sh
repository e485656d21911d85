# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Programs of this host: hcloud-reassign, or any command. Their exit code says whether it worked.

needs_local='config'
needs_command='command'

ask_local() {
  absolute "$config"
  run_here "$1" hcloud-reassign run -c "$absolute" --by "$by" --issued-at "$issued_at" --max-age 300 \
    --to "$to" -- "$resource"
  case $exited in
    0) return 3 ;;
    2 | 3 | 4 | 126 | 127) return 1 ;;
    *) return 2 ;;
  esac
}

ask_command() {
  # shellcheck disable=SC2086 # words
  run_here "$1" $command
  case $exited in
    0) return 3 ;;
    126 | 127) return 1 ;;
    *) return 2 ;;
  esac
}

run_here() { # TRIGGER PROGRAM...: never killed, it may be half way through a move
  asked_here=$1
  shift
  clean HR_RESOURCE="$resource" HR_TO="$to" HR_ISSUED_AT="$issued_at" HR_AGE="$age" HR_BY="$by" \
    "$@" >"$work.answer" 2>&1 &
  wait "$!"
  exited=$?
  [ "$exited" = 0 ] ||
    log warning "$asked_here ended with $exited: $(tr '\n' ' ' <"$work.answer" | tr -cd ' -~' | cut -c 1-300)"
}

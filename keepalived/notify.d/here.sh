# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Programs of this host: hcloud-reassign, or any command. Their exit code says whether it worked.

needs_local='config'
needs_command='command'

ask_local() {
  absolute "$config"
  set -- -c "$absolute" --by "$by" --issued-at "$issued_at" --to "$to" -- "$resource"
  if [ -n "$trigger" ]; then
    run_here "$asked" hcloud-reassign trigger --wait "$trigger" "$@"
  else
    run_here "$asked" hcloud-reassign run --max-age 300 "$@"
  fi
  case $exited:$trigger in
    0:*) return 3 ;;
    5:?*) return 0 ;; # it was asked, and nobody can say what became of it
    2:* | 3:* | 4:* | 126:* | 127:*) return 1 ;;
    *) return 2 ;;
  esac
}

ask_command() {
  # shellcheck disable=SC2086 # words
  run_here "$asked" $command
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

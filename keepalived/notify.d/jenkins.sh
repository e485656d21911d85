# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# Jenkins: buildWithParameters, then the queue item, then the build.

needs_jenkins='url job user token_file'

ask_jenkins() {
  jenkins_headers
  body=$(fields '' '' upper)
  body=${body#?}
  request POST "$(job_url)/buildWithParameters"
  judge "$1" "401: look at 'user' and its API token; 403 and 404: it needs Job/Read and Job/Build on $job." || return
  run=$(header_of_answer location)
  run=${run%/}
  run=${run##*/}
  case $run in *[!0-9]*) run='' ;; esac
  build=''
}

jenkins_headers() {
  basic=$(printf '%s' "$user:$secret" | base64 | tr -d '\n')
  secrets="$secret $basic"
  headers="Authorization: Basic $basic
Content-Type: application/x-www-form-urlencoded"
}

job_url() {
  printf '%s/job/' "$url"
  printf '%s' "$job" | sed 's|/|/job/|g'
}

confirmed_by_jenkins() {
  body=''
  if [ -z "$build" ]; then
    request GET "$url/queue/item/$run/api/json?tree=cancelled,executable%5Bnumber%5D"
    readable || return
    [ "$(value_in_answer cancelled)" != true ] || return 1
    build=$(value_in_answer number)
    [ -n "$build" ] || return 2
  fi
  request GET "$(job_url)/$build/api/json?tree=result"
  readable || return
  case $(value_in_answer result) in SUCCESS) return 0 ;; null | '') return 2 ;; *) return 1 ;; esac
}

# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# GitLab: a pipeline by trigger token, which may start and may not read; another token may.

needs_gitlab='project ref token_file'

ask_gitlab() {
  secrets="$secret $(encoded "$secret")"
  body="token=$(encoded "$secret")&ref=$(encoded "$ref")"
  if [ "$inputs" = yes ]; then body=$body$(fields 'inputs[' ']' ''); else body=$body$(fields 'variables[' ']' upper); fi
  headers='Content-Type: application/x-www-form-urlencoded'
  request POST "$(project_url)/trigger/pipeline"
  judge "$1" "404: the token is not one of this project, or revoked; 400: look at 'ref' and at the pipeline's rules." || return
  [ -z "$reader" ] || run=$(sed -n 's|.*/-/pipelines/\([0-9]*\)".*|\1|p' "$work.answer")
}

project_url() {
  printf '%s' "$url/api/v4/projects/$(encoded "$project")"
}

confirmed_by_gitlab() {
  headers="PRIVATE-TOKEN: $reader" body='' secrets="$secret $reader"
  request GET "$(project_url)/pipelines/$run"
  readable || return
  case $(value_in_answer status) in success) return 0 ;; failed | canceled | skipped) return 1 ;; *) return 2 ;; esac
}

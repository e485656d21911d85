# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# GitLab: a pipeline by trigger token, which may start and may not read.

needs_gitlab='url project ref token_file'

ask_gitlab() {
  secrets=$secret
  body="token=$(encoded "$secret")&ref=$(encoded "$ref")"
  if [ "$inputs" = yes ]; then body=$body$(fields 'inputs[' ']' ''); else body=$body$(fields 'variables[' ']' upper); fi
  headers='Content-Type: application/x-www-form-urlencoded'
  request POST "$url/api/v4/projects/$(encoded "$project")/trigger/pipeline"
  judge "$1" "404: the token is not one of this project, or revoked; 400: look at 'ref' and at the pipeline's rules."
}

# shellcheck shell=sh disable=SC2034,SC2154 # variables of the program that reads this file
# GitHub: workflow_dispatch, and the state of the run it started.

needs_github='repository workflow ref token_file'

ask_github() {
  secrets=$secret
  github_headers
  values=$(printf '"resource":"%s","to":"%s","issued_at":"%s","age":"%s","by":"%s"' \
    "$resource" "$to" "$issued_at" "$age" "$by")
  body="{\"ref\":\"$ref\",\"inputs\":{$values},\"return_run_details\":true}"
  address_of_dispatch="$url/repos/$repository/actions/workflows/$workflow/dispatches"
  request POST "$address_of_dispatch"
  case $status in
    400 | 422)
      if grep -q return_run_details "$work.answer"; then
        body="{\"ref\":\"$ref\",\"inputs\":{$values}}"
        request POST "$address_of_dispatch"
      fi
      ;;
  esac
  judge "$1" "The token needs Actions: write on $repository; 404 and 422: look at 'workflow', 'ref' and its inputs." || return
  run=$(value_in_answer workflow_run_id)
}

github_headers() {
  headers="Authorization: Bearer $secret
Accept: application/vnd.github+json
X-GitHub-Api-Version: 2022-11-28
Content-Type: application/json"
}

confirmed_by_github() {
  body=''
  request GET "$url/repos/$repository/actions/runs/$run"
  readable || return
  case $(value_in_answer conclusion) in success) return 0 ;; null | '') return 2 ;; *) return 1 ;; esac
}

# Fixed words, checked values, and an environment of nothing but this; the token is piped.
set +x -efu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [ -z "${HCLOUD_TOKEN-}" ]; then
  echo "hcloud-reassign: HCLOUD_TOKEN is empty; nothing was started" >&2
  exit 4
fi
# Platforms replace names of variables in values, so a request could name this one.
case "$HR_RESOURCE $HR_TO $HR_BY" in *"$HCLOUD_TOKEN"*)
  echo "hcloud-reassign: the token is in a value of the request; nothing was started" >&2
  exit 2
  ;;
esac
set -- "$@" PATH="$folder/bin:$PATH" HOME="$folder" HCLOUD_REASSIGN_STATE="$folder/state"
set -- "$@" LANG=C.UTF-8 hcloud-reassign run -c "$config" --api-url "$api_url"
set -- "$@" --token-file - --timeout "$timeout" -o json --report "$report" --by "$HR_BY"
if [ -n "$created_at" ]; then
  set -- "$@" --issued-at "$created_at" --age "$HR_AGE"
else
  set -- "$@" --issued-at "$HR_ISSUED_AT"
fi
set -- "$@" --max-age 300 --to "$HR_TO" -- "$HR_RESOURCE"
printf %s "$HCLOUD_TOKEN" | env -i "$@"

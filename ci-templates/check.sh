# Each value of the request is exactly of its form, or nothing is started.
set +x -efu
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
rm -f -- "$report"
refuse() {
  echo "hcloud-reassign: $1 $2; nothing was started" >&2
  exit 2
}
# Name, value, its form; and that form for the shell: the signs in it, least and greatest length.
check() {
  # shellcheck disable=SC2254 # a set of signs is a pattern
  case $2 in '' | [!A-Za-z0-9]* | *[!$4]*) refuse "$1" "is not of the form $3" ;; esac
  if [ "${#2}" -lt "$5" ] || [ "${#2}" -gt "$6" ]; then refuse "$1" "is not of the form $3"; fi
}
check HR_RESOURCE "${HR_RESOURCE-}" '[A-Za-z0-9][A-Za-z0-9._-]{0,63}' A-Za-z0-9._- 1 64
check HR_TO "${HR_TO-}" '[A-Za-z0-9][A-Za-z0-9.-]{0,252}' A-Za-z0-9.- 1 253
[ "$HR_TO" != self ] || refuse HR_TO 'has to be a server: self would be the machine that runs this'
check HR_ISSUED_AT "${HR_ISSUED_AT-}" '[0-9]{13}' 0-9 13 13
check HR_AGE "${HR_AGE-}" '[0-9]{1,9}' 0-9 1 9
check HR_BY "${HR_BY-}" '[A-Za-z0-9][A-Za-z0-9.-]{0,252}' A-Za-z0-9.- 1 253

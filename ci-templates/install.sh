# The image has the program, or pip installs it into a folder of its own, seeing no environment.
set +x -efu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [ -n "$install" ]; then
  env -i PATH="$PATH" HOME="$folder" python3 -m venv --clear "$folder"
  set -- pip install -q --no-compile --disable-pip-version-check
  # shellcheck disable=SC2086 # these are words for pip
  env -i PATH="$folder/bin:$PATH" HOME="$folder" "$@" $install
fi

#!/usr/bin/env bash
# What some tests need beside Python: installed where that may be done (root, apt-get), named where it may not.
# Those tests are then skipped by name; on CI a skip fails the run. Quick where nothing is missing.
#
#   deploy/test-setup.sh [fonts]     fonts: only those that specimens are set in
set -uo pipefail

fonts="fonts-baekmuk fonts-nanum fonts-ocr-b fonts-unfonts-core"
packages="$fonts chromium curl default-jdk-headless golang-go node-typescript nodejs pgbouncer php-cli php-curl prometheus tesseract-ocr-kor"
[ "${1:-}" != fonts ] || packages=$fonts

font() {
  find /usr/share/fonts /usr/local/share/fonts "${HOME:-/root}/.local/share/fonts" -name "$1" -print -quit 2>/dev/null | grep -q .
}

has() {
  case $1 in
    fonts-baekmuk) font batang.ttf ;;
    fonts-nanum) font NanumSquareB.ttf ;;
    fonts-ocr-b) font OCRB.otf ;;
    fonts-unfonts-core) font UnDotumBold.ttf ;;
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    default-jdk-headless) command -v javac ;;
    golang-go) command -v go ;;
    node-typescript) command -v tsc ;;
    nodejs) command -v node ;;
    pgbouncer) command -v pgbouncer || [ -x /usr/sbin/pgbouncer ] ;;
    php-cli) command -v php ;;
    php-curl) php -r 'exit(function_exists("curl_init") ? 0 : 1);' ;;
    prometheus) command -v prometheus && command -v promtool ;;
    tesseract-ocr-kor) [ -e /usr/share/tesseract-ocr/5/tessdata/kor.traineddata ] ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

absent() {
  local package
  for package in $packages; do has "$package" || printf '%s ' "$package"; done
}

missing=$(absent)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  printf 'Installing for the tests: %s\n' "$missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >/dev/null || printf 'apt-get update failed; trying with the lists that are here\n' >&2
  # These packages start a server, now and with the machine; the tests start one of their own when they need it.
  for server in prometheus pgbouncer; do
    case " $missing" in *" $server "*)
      if command -v systemctl >/dev/null; then systemctl mask "$server.service" >/dev/null 2>&1 || true; fi ;;
    esac
  done
  # One by one: a package that this system does not have must not keep the others out.
  for package in $missing; do
    apt-get install -q -y --no-install-recommends "$package" >/dev/null || true
  done
  missing=$(absent)
  [ -n "$missing" ] || exit 0
fi
printf 'Missing, so the tests that need it are skipped: %s\n' "$missing" >&2
printf 'Install by hand, for example: apt-get install %s\n' "$missing" >&2

# Asks servers with curl, several at once, and writes a line for each: its number, curl's exit code, the seconds until the connection stood (of
# exchanges that succeed), the local port (0 without a connection), the HTTP status, how the certificate was verified, and a word on what curl says.
#
# Arguments, three for each server: a number, a URL, and the number of the authority that its certificate has to be of; `-` for none.
# AUTHORITY_<number> is PEM, LIMIT the seconds that each has, OUT the file that is written to.
if ! command -v curl >/dev/null 2>&1; then
  echo 'there is no curl' >>"$OUT"
  exit 3
fi

look() {
  curl -q --silent --verbose --globoff --noproxy '*' --output /dev/null --max-time "$LIMIT" \
    --write-out 'told: %{time_connect} %{local_port} %{http_code} %{ssl_verify_result};' "$@" 2>&1
}

ask() {
  if [ "$3" = - ]; then
    said=$(look --insecure "$2")
  else
    eval "authority=\$AUTHORITY_$3"
    said=$(printf '%s\n' "$authority" | look --cacert /dev/stdin "$2")
  fi
  code=$?
  case $said in
    *told:*) rest=${said##*told: } ;;
    *) rest='0 0 000 0;' ;;
  esac
  case $code:$said in
    7:*efused*) word=refused ;;
    7:*nreachable* | 7:*'No route'*) word=unreachable ;;
    51:* | 60:*'subject name'* | 60:*'ostname mismatch'*) word=name ;;
    *) word=- ;;
  esac
  echo "$1 $code ${rest%%;*} $word" >>"$OUT"
}

running=0
while [ $# -ge 3 ]; do
  ask "$1" "$2" "$3" &
  shift 3
  running=$((running + 1))
  if [ "$running" -ge 16 ]; then
    wait
    running=0
  fi
done
wait

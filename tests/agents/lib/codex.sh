# What a `codex app-server` says and hears, for the agents of this folder. Sourced, not run.

say() { printf '%s\n' "$1"; }

# Waits for the next line of a kind, leaves it in $line and the id in it in $id, and fails when stdin has ended.
await() {
  while IFS= read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in *"$1"*) return 0 ;; esac
  done
  return 1
}

opened() { say '{"id":'"$id"',"result":{"thread":{"id":"'"$1"'","cliVersion":"9.9.9"},"model":"fake-1"}}'; }

refused() { say '{"id":'"$id"',"error":{"code":-32600,"message":"'"$1"'"}}'; }

# A turn begins, on the thread $thread.
begun() {
  say '{"id":'"$id"',"result":{"turn":{"id":"'"$1"'","status":"inProgress"}}}'
  say '{"method":"turn/started","params":{"threadId":"'"$thread"'","turn":{"id":"'"$1"'","status":"inProgress"}}}'
}

message() {
  say '{"method":"item/completed","params":{"threadId":"'"$thread"'","turnId":"'"$1"'","item":{"type":"agentMessage","id":"m","text":"'"$2"'"}}}'
}

ended() {
  say '{"method":"turn/completed","params":{"threadId":"'"$thread"'","turn":{"id":"'"$1"'","status":"'"$2"'"}}}'
}

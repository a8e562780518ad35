# What an agent that speaks ACP says and hears, for the agents of this folder. Sourced, not run.

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

answer() { say '{"jsonrpc":"2.0","id":'"$id"',"result":'"$1"'}'; }

refuse() { say '{"jsonrpc":"2.0","id":'"$id"',"error":{"code":'"$1"',"message":"'"$2"'"}}'; }

# Answers `initialize`; $1: what it can do.
initialized() {
  await '"initialize"'
  can=$1
  answer '{"protocolVersion":1,"agentInfo":{"name":"fake","version":"9.9.9"},"authMethods":[{"id":"key","name":"Use a key"}],"agentCapabilities":'"${can:-null}"'}'
}

# Begins a conversation.
opened() {
  await '"session/new"'
  answer '{"sessionId":"session-1"}'
}

update() { say '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"session-1","update":'"$1"'}}'; }

message() { update '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"'"$1"'"}}'; }

# Waits for a prompt, and leaves its text in $prompt and its request in $turn.
prompted() {
  await '"session/prompt"' || return 1
  turn=$id
  prompt=${line##*'"text":"'}
  prompt=${prompt%%'"'*}
}

ended() { say '{"jsonrpc":"2.0","id":'"$turn"',"result":{"stopReason":"'"${1:-end_turn}"'"}}'; }

# Asks whether it may run a command; the question has the id "ask-1".
ask() {
  say '{"jsonrpc":"2.0","id":"ask-1","method":"session/request_permission","params":{"sessionId":"session-1","toolCall":{"toolCallId":"t1","title":"ls","kind":"execute","status":"pending","rawInput":{"command":"ls"}},"options":[{"optionId":"all","name":"Always","kind":"allow_always"},{"optionId":"yes","name":"Allow","kind":"allow_once"},{"optionId":"no","name":"Reject","kind":"reject_once"}]}}'
}

# What of a line comes behind the first `"$1":`, with its quotes made harmless.
behind() { printf '%s' "${line#*'"'"$1"'":'}" | tr '"' "'"; }

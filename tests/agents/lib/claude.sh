# What a claude says and hears, for the agents of this folder. Sourced, not run.

prompt='"type":"user"'
interrupt='"subtype":"interrupt"'
answer='"type":"control_response"'

say() { printf '%s\n' "$1"; }

# Waits for the next line of a kind, leaves it in $line, and fails when stdin has ended.
await() {
  while IFS= read -r line; do
    case $line in *"$1"*) return 0 ;; esac
  done
  return 1
}

# Waits for the test to say so, through a fifo.
await_test() { IFS= read -r line <"$1"; }

init() {
  say '{"type":"system","subtype":"init","session_id":"conversation-1","model":"fake-1","permissionMode":"default"}'
}

text() {
  say '{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'"$1"'"}},"parent_tool_use_id":null}'
}

# A whole message in one block, without deltas.
message() {
  say '{"type":"assistant","message":{"id":"msg_1","role":"assistant","content":['"$1"']},"parent_tool_use_id":null}'
}

ask() {
  say '{"type":"control_request","request_id":"'"$1"'","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"ls -l"},"tool_use_id":"toolu_1","permission_suggestions":[{"type":"setMode","mode":"acceptEdits"}]}}'
}

result() {
  say '{"type":"result","subtype":"success","is_error":false,"result":"'"$1"'","stop_reason":"end_turn","num_turns":1,"session_id":"conversation-1"}'
}

# The result of a turn that was interrupted.
stopped() {
  say '{"type":"result","subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_streaming","errors":["aborted"],"num_turns":1,"session_id":"conversation-1"}'
}

# Waits until it is ended from outside; what it waits with does not delay a trap.
for_ever() {
  while :; do
    sleep 1000 &
    wait "$!"
  done
}

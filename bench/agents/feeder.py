"""Writes deltas to the stdouts of many agents at a steady rate: one process for all, so that the agents cost next to
nothing beside what is measured.

    feeder.py <socket> <streams> <lines per second and stream> <lines per stream>

It begins when all agents have handed their stdout over. The streams take turns evenly within a period. The text of a
delta is `<number> <time>`: its number in its stream, and when it was written, in microseconds of CLOCK_MONOTONIC. Prints
`ready` when it listens, and at the end by how many milliseconds it was late with the last line.
"""
import os
import socket
import sys
import time

DELTA = (
    b'{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":'
    b'"%d %d"}},"session_id":"5094d955-665d-4a8d-9cb7-6d98f473b94e","parent_tool_use_id":null,'
    b'"uuid":"00000000-0000-4000-8000-000000000000","api_message_id":"msg_1"}\n'
)
RESULT = (
    b'{"type":"result","subtype":"success","is_error":false,"result":"done","stop_reason":"end_turn","num_turns":1,'
    b'"duration_ms":2,"duration_api_ms":1,"session_id":"5094d955-665d-4a8d-9cb7-6d98f473b94e","total_cost_usd":0.5,'
    b'"usage":{"input_tokens":1,"output_tokens":2}}\n'
)
# A sleep is late by about as much as the kernel's slack for timers; less than that is not slept.
SLACK_SECONDS = 50e-6
# Nobody comes any more when the benchmark was ended.
AGENTS_SECONDS = 60

path = sys.argv[1]
streams, rate, lines = (int(argument) for argument in sys.argv[2:])

outputs = []
with socket.socket(socket.AF_UNIX) as server:
    server.bind(path)
    server.listen(streams)
    server.settimeout(AGENTS_SECONDS)
    print("ready", flush=True)
    for _ in range(streams):
        connection, _ = server.accept()
        with connection:
            _, (output,), _, _ = socket.recv_fds(connection, 1, 1)
        outputs.append(output)

begin = time.monotonic()
for number in range(lines):
    for index, output in enumerate(outputs):
        due = begin + (number + index / streams) / rate
        wait = due - time.monotonic()
        if wait > SLACK_SECONDS:
            time.sleep(wait)
        os.write(output, DELTA % (number, time.monotonic_ns() // 1000))
print(f"{(time.monotonic() - due) * 1000:.1f}", flush=True)
for output in outputs:
    os.write(output, RESULT)
